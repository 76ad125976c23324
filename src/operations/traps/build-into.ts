import { trapCount } from '../../traps/trap-set.ts';
import type { TrapRequest, TrapSource } from './source.ts';
import type { StockWriter } from './stock-writer.ts';

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
  onSealed: (traps: number, set: string) => void,
): Promise<string | undefined> {
  request.signal.throwIfAborted();
  const { kind } = request.target;
  const source = sources.find((each) => each.kind === kind);
  if (source === undefined) return `This version builds no ${kind} traps.`;
  const { sets, why } = await source.build(request);
  for (const set of sets) {
    const { seal } = await writer.seal(set, request.keyRing, request.now);
    onSealed(trapCount(set), seal.id);
  }
  return why;
}
