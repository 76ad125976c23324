import { coinTraps } from './build-coin.ts';
import { regionTraps } from './build-region.ts';
import type { TrapSource } from './source.ts';

/** Every source of traps, one for each kind that this version can build. */
export const trapSources: readonly TrapSource[] = [coinTraps, regionTraps];
