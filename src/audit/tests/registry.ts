import type { ProvenanceTest } from '../../contracts.ts';
import type { AuditMaterial } from '../material.ts';
import { fingerprintQuirks } from './fingerprint-quirks.ts';
import { labelCoins } from './label-coins.ts';
import { probabilityPerQuery } from './probability-per-query.ts';
import { probabilitySigns } from './probability-signs.ts';
import { probabilitySignsReplay } from './probability-signs-replay.ts';
import { regionTraps } from './region-traps.ts';

/** Every test an audit can run; a new one is a file and a line here. */
export const provenanceTests: readonly ProvenanceTest<AuditMaterial>[] = [
  probabilityPerQuery,
  labelCoins,
  probabilitySigns,
  probabilitySignsReplay,
  regionTraps,
  fingerprintQuirks,
];
