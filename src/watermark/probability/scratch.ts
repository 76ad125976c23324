/** Elements up to which an array is kept. */
const mostKept = 1 << 16;

/**
 * Returns a source of working arrays for a computation that ends before the next one begins: at
 * least as long as asked for, with whatever the last use left in them. A typed array of its own
 * costs each call an allocation outside the heap, which is most of what short texts would cost.
 */
export function scratchOf<Values extends { readonly length: number }>(
  make: (length: number) => Values,
): (length: number) => Values {
  let kept = make(0);
  return (length) => {
    if (length <= kept.length) return kept;
    const made = make(2 ** Math.ceil(Math.log2(length)));
    if (length <= mostKept) kept = made;
    return made;
  };
}
