import { largestTrapArea } from '../../models/training/stealth.ts';
import { type SealedTrapSet, trapCount } from '../../traps/trap-set.ts';
import type { TrapRequest, TrapSource } from './source.ts';
import type { StockWriter } from './stock-writer.ts';

/** Says so where a classifier tells a new set's traps from traffic; undefined where it does not. */
export function conspicuous({ seal, set }: SealedTrapSet): string | undefined {
  const { areaUnderCurve } = set.stealth;
  if (areaUnderCurve === null || areaUnderCurve <= largestTrapArea) return undefined;
  return `${seal.id}: a classifier tells its traps from traffic, with an area of ${areaUnderCurve.toFixed(2)} under the curve (${largestTrapArea} at most is wanted).`;
}

/**
 * Has the source of the target's kind build traps, and seals each set.
 *
 * @param onSealed told the traps of each set once it is sealed
 * @returns why there are fewer than wanted; undefined when there are enough
 * @throws TouchmarkError as the source does; INTERRUPTED
 */
export async function buildInto(
  writer: StockWriter,
  { sources, ...request }: TrapRequest & { readonly sources: readonly TrapSource[] },
  onSealed: (traps: number, set: SealedTrapSet) => void,
): Promise<string | undefined> {
  request.signal.throwIfAborted();
  const { kind } = request.target;
  const source = sources.find((each) => each.kind === kind);
  if (source === undefined) return `This version builds no ${kind} traps.`;
  const { sets, why } = await source.build(request);
  for (const set of sets) {
    onSealed(trapCount(set), await writer.seal(set, request.keyRing, request.now));
  }
  return why;
}
