import { expect, it } from 'vitest';
import { stackCompatibility } from '../../../src/watermark/text/stack-compatibility.ts';
import { stackProfile } from './prfs/stacks.ts';
import { nativeProfile } from './random-text.ts';

const lists = { name: 'hugging-face', seeding: 'lefthash', contextWidth: 1 } as const;
const green = { name: 'green-list', gamma: 0.5, delta: 2 } as const;
const tournament = { name: 'tournament', depth: 30 } as const;
const philox = { name: 'vllm-philox', contextWidth: 4, keys: 'single' } as const;

it('knows no other stack for the native function', () => {
  expect(stackCompatibility(nativeProfile())).toBeUndefined();
});

it.each([
  [lists, green, 'mark', 'transformers', 0],
  [lists, green, 'turn', 'transformers', 1],
  [{ name: 'synthid-hf', ngramLength: 5 }, tournament, 'turn', 'transformers', 0],
  [{ name: 'synthid-deepmind', ngramLength: 5 }, tournament, 'turn', 'synthid-text', 0],
  [{ name: 'synthid-deepmind', ngramLength: 1 }, green, 'mark', 'synthid-text', 3],
  [philox, { name: 'gumbel' }, 'mark', 'vllm', 0],
  [philox, green, 'turn', 'vllm', 1],
  [{ ...philox, contextWidth: 0 }, tournament, 'mark', 'vllm', 2],
] as const)('says whether the stack reads %j with %j', (prf, scheme, repeats, stack, differences) => {
  const found = stackCompatibility(stackProfile(prf, scheme, repeats, 100))!;
  expect(found.stack).toBe(stack);
  expect(found.differences).toHaveLength(differences);
});
