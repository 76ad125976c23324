import { join } from 'node:path';
import { drawModel, probabilities, textTask } from '../../../scripts/calibrate/task.ts';
import type { Input } from '../../../src/contracts.ts';
import { canonicalInput } from '../../../src/keys/canonical-input.ts';
import { openServingLog } from '../../../src/ledger/serving-log.ts';
import { coinTraps } from '../../../src/operations/traps/build-coin.ts';
import type { BuiltTraps, TrapRequest } from '../../../src/operations/traps/source.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import type { KeyRing } from '../../../src/store/key-ring.ts';
import { writeProfile } from '../../../src/store/profile-file.ts';
import { sealTrapSet } from '../../../src/traps/seal.ts';
import { foldStock, type TrapStock } from '../../../src/traps/stock.ts';
import type { TrapSet } from '../../../src/traps/trap-set.ts';
import { ClassifierMarker } from '../../../src/watermark/classifier-marker.ts';
import { servingFloor, toDistribution } from '../../../src/watermark/probability/distribution.ts';
import { keyRingOf, noon, projectIn } from './scene.ts';

export const tenant = 'acme';
export const epoch = 'e1';
export type CoinTrapSet = Extract<TrapSet, { kind: 'coin' }>;

/** Questions of the synthetic text task; the same seed gives the same ones. */
export function questions(count: number, seed: string): Input[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => textTask.draw(random));
}

/** Serves questions to a tenant under its key, and logs them. */
export async function serveTo(
  directory: string,
  keyRing: KeyRing,
  inputs: readonly Input[],
  marginThreshold = 0.4,
): Promise<void> {
  const profile = { ...textTask.profile, marginThreshold };
  await writeProfile(join(directory, '.touchmark', 'profile.json'), profile);
  const clean = probabilities(drawModel(textTask, seededRandom('protected')));
  const marker = new ClassifierMarker(keyRing.epochKey(tenant, epoch), profile);
  const log = await openServingLog(join(directory, '.touchmark', 'log'));
  await log.append(
    inputs.map((given) => {
      const input = canonicalInput(given);
      const distribution = toDistribution(clean(input), servingFloor);
      const { served, label, marks } = marker.mark(input, distribution);
      return {
        tenant,
        epoch,
        servedAt: noon.toISOString(),
        modelVersion: '1',
        input,
        clean: Array.from(distribution),
        served: Array.from(served),
        label,
        marks,
      };
    }),
  );
  await log.close();
}

/** Builds coin traps in a directory, with a stock of the sets that were built before. */
export async function build(
  directory: string,
  wanted: number,
  changes: Partial<TrapRequest> = {},
): Promise<BuiltTraps> {
  return coinTraps.build({
    project: projectIn(directory),
    keyRing: keyRingOf(),
    target: { kind: 'coin', tenant, epoch },
    wanted,
    stock: stockOf([]),
    now: noon,
    signal: new AbortController().signal,
    progress: () => undefined,
    ...changes,
  });
}

/** The stock after sets were sealed, and records up to `shown` were shown without traps. */
export function stockOf(sets: readonly TrapSet[], shown?: number): TrapStock {
  const at = noon.toISOString();
  return foldStock(
    [
      ...sets.map((set) => {
        const { seal } = sealTrapSet(set, keyRingOf().sealingKey());
        const { tenant: whose, epoch: when, from, through } = set as CoinTrapSet;
        return {
          event: 'sealed' as const,
          at,
          set: seal.id,
          kind: set.kind,
          tenant: whose,
          epoch: when,
          root: seal.root,
          lots: set.lots.map(({ traps }) => traps.length),
          records: { from, through },
          bansPerLot: set.expected.bansPerLot,
        };
      }),
      ...(shown === undefined
        ? []
        : [
            {
              event: 'records-exposed' as const,
              at,
              tenant,
              epoch,
              through: shown,
              suspect: 'http:http://127.0.0.1:9',
              audit: 'a',
            },
          ]),
    ],
    [],
  );
}

/** The records that a set's traps name, in its lots' order. */
export function sequencesOf(set: TrapSet): number[] {
  return (set as CoinTrapSet).lots.flatMap(({ traps }) => traps.map(({ sequence }) => sequence));
}
