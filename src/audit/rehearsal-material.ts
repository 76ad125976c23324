import type { ServedRecord } from '../contracts.ts';
import type { ClassifierKeys } from '../keys/classifier-keys.ts';
import { seededRandom } from '../stats/sampling.ts';
import { readingLogs } from '../watermark/probability/alignment.ts';
import { type AuditMaterial, freshProbe, loggedProbe } from './material.ts';
import type { RehearsalGround } from './rehearsal-ground.ts';
import { coinSequences, withTraps } from './trapped-material.ts';

/** The log that a student leaves, and what reads it. */
export interface RehearsalLog {
  readonly ground: RehearsalGround;
  readonly keys: ClassifierKeys;
  readonly name: string;
  /** Places of the logged questions among the ground's inputs, in served order. */
  readonly asked: readonly number[];
  readonly records: readonly ServedRecord[];
  /** Places of the fresh probes. */
  readonly fresh: readonly number[];
}

export interface RehearsalMaterialOptions {
  readonly loggedProbes: number;
  readonly coins: 'all' | number;
  readonly questionsNotChosenFromAnswers: boolean;
}

/** Returns the material of an audit over a student's log, as `decodeMaterial` gives an audit its own. */
export function rehearsalMaterial(
  { ground, keys, name, asked, records, fresh }: RehearsalLog,
  options: RehearsalMaterialOptions,
): AuditMaterial {
  const { profile, clean, twins, inputs } = ground;
  const fallen = coinSequences(records, keys.labelCoins, profile.marginThreshold);
  const { coins, logged } = withTraps(
    {
      fresh: [],
      logged: records
        .slice(0, options.loggedProbes)
        .map(({ sequence }) => ({ sequence, baselines: twins[asked[sequence]!]! })),
    },
    fallen,
    { coins: chooseCoins(fallen, options.coins, name), regionLots: [] },
  );
  return {
    ...{ profile, keys, regionLots: [], referencesExchangeable: false },
    epochCommitment: `rehearsal:${name}`,
    questionsNotChosenFromAnswers: options.questionsNotChosenFromAnswers,
    fresh: fresh.map((place, index) => ({
      probe: freshProbe(index, inputs[place]!),
      baselines: [...twins[place]!, Float32Array.from(clean[place]!)].map(readingLogs),
    })),
    logged: logged.map(({ sequence, baselines }) => {
      const record = records[sequence]!;
      return {
        ...{ record, probe: loggedProbe(record) },
        baselines: [...baselines, record.clean].map(readingLogs),
      };
    }),
    coins: coins.map((sequence) => {
      const record = records[sequence]!;
      return { record, probe: loggedProbe(record) };
    }),
  };
}

/** Which coins an audit shows does not depend on how they fell. */
function chooseCoins(
  fallen: ReadonlySet<number>,
  coins: 'all' | number,
  name: string,
): ReadonlySet<number> | 'all' {
  if (coins === 'all') return 'all';
  const all = [...fallen];
  return new Set(seededRandom(`${name}/coins`).choose(all, Math.min(coins, all.length)));
}
