import type { Input } from '../../contracts.ts';
import type { SeededRandom } from '../../stats/sampling.ts';
import { pathBetween } from '../path-between.ts';

/**
 * Returns texts that are made from pairs of a pool and look like it: the first half of one before the
 * second half of another that is taken for the same class. Tensors have none: images that are moved
 * by one pixel, mirrored or blurred are told from others with an area under the curve above .9.
 *
 * @param classes what each question is taken for
 * @param most questions to return; fewer where the pool gives no more
 */
export function variationsOf(
  pool: readonly Input[],
  classes: ArrayLike<number>,
  { most, random }: { readonly most: number; readonly random: SeededRandom },
): Input[] {
  const byClass = new Map<number, Input[]>();
  pool.forEach((input, index) => {
    const own = byClass.get(classes[index]!) ?? [];
    own.push(input);
    byClass.set(classes[index]!, own);
  });
  const made: Input[] = [];
  for (let round = 0; made.length < most && round < mostRounds; round += 1) {
    for (const [index, input] of pool.entries()) {
      if (made.length >= most) break;
      if (typeof input !== 'string') continue;
      const variation = splice(input, byClass.get(classes[index]!)!, random);
      if (variation !== undefined) made.push(variation);
    }
  }
  return made;
}

/** Each text is varied at most so often. */
const mostRounds = 10;

function splice(text: string, others: readonly Input[], random: SeededRandom): Input | undefined {
  const other = others[random.integer(others.length)]!;
  if (other === text) return undefined;
  const path = pathBetween(other, text, 1);
  if (path === undefined || path.length < 2) return undefined;
  return path.at(Math.round(path.length / 2));
}
