/** The module that marks texts; its memory is the caller's and holds nothing of its own. */
export { writeCounters } from './counters';
export { biasGreen } from './green-list';
export { filterGumbel } from './gumbel';
export { largestFloats, largestIntegers, transformFloats, transformIntegers } from './transform';
