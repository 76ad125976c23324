import type { AuditMaterial, CoinQuestion } from '../../src/audit/material.ts';
import { labelCoins } from '../../src/audit/tests/label-coins.ts';
import { derivePurposeKey } from '../../src/keys/derivation.ts';
import { thinCoins } from '../../src/models/training/coin-thinning.ts';
import { largestTrapArea } from '../../src/models/training/stealth.ts';
import { type SeededRandom, seededRandom } from '../../src/stats/sampling.ts';
import { chooseCoins, dealCoins, type FallenCoin } from '../../src/traps/kinds/coin-choice.ts';
import { margin } from '../../src/watermark/label/coins.ts';
import { topTwo } from '../../src/watermark/probability/distribution.ts';
import { type Row, row, Tally } from './tally.ts';
import { tensorTask, textTask } from './task.ts';
import { adaptive, coinsUntilAhead, plain, repetitive, shaping, stopWhenAhead } from './tenants.ts';
import { type Audit, runTest, type Scenario, simulateAudit } from './trial.ts';

/** Chooses the coins that one audit shows. */
export type Dealing = (audit: DealtAudit, random: SeededRandom) => readonly CoinQuestion[];

/** What traps are dealt of. */
export type DealtAudit = Pick<Audit, 'material' | 'epochKey'>;

/** A kind of tenant, and how the coins of its log become traps. */
export interface TrapCase {
  readonly name: string;
  readonly scenario: Scenario;
  readonly deal: Dealing;
  /** Bans that every audit pays; see `charges`. */
  readonly charge?: number;
}

const lots = 3;
const coinsOfFirstSet = 16;
const sizeOfControl = 4;
const log10Twenty = Math.log10(20);

const base: Scenario = {
  task: tensorTask,
  tenant: plain,
  suspect: 'independent',
  questions: 100,
  fresh: 0,
  replayed: 0,
};

/**
 * Every kind of tenant, before traps as they are sealed and claimed. Thinning takes no coin among the
 * first, which is where stopping pays; so stopping is tried without it, too.
 */
export const trapCases: readonly TrapCase[] = [
  { name: 'all coins / plain tenant', scenario: base, deal: dealing(1) },
  {
    name: 'all coins / adaptive tenant',
    scenario: { ...base, tenant: adaptive },
    deal: dealing(1),
  },
  {
    name: 'all coins / stop-when-ahead tenant',
    scenario: { ...base, tenant: stopWhenAhead },
    deal: dealing(1),
  },
  {
    name: 'all coins / tenant that asks for coins until ahead',
    scenario: { ...base, tenant: coinsUntilAhead },
    deal: dealing(1),
  },
  {
    name: 'all coins / repetitive tenant',
    scenario: { ...base, task: textTask, tenant: repetitive },
    deal: dealing(1),
  },
  { name: 'thinned / plain tenant', scenario: base, deal: dealing(largestTrapArea) },
  {
    name: 'thinned / stop-when-ahead tenant',
    scenario: { ...base, tenant: stopWhenAhead, questions: 200 },
    deal: dealing(largestTrapArea),
  },
  {
    name: 'thinned / traffic-shaping tenant',
    scenario: { ...base, tenant: shaping },
    deal: dealing(largestTrapArea),
  },
  {
    name: 'whole log until a set is sealed / tenant that asks for coins until ahead',
    scenario: { ...base, tenant: coinsUntilAhead },
    deal: (audit: DealtAudit) => {
      const lot = dealSealedLots(audit, largestTrapArea);
      return hasSealed(audit) ? lot : audit.material.coins;
    },
    charge: Math.log10(2),
  },
].map((each) => ({ ...each, name: `coin traps, ${each.name}` }));

/** Broken on purpose: as many coins for every audit, dealt once the tenant has stopped. */
export const fixedSizeControl: TrapCase = {
  name: 'coin traps of fixed size, dealt after a tenant stopped',
  scenario: { ...base, tenant: coinsUntilAhead },
  deal: ({ material: { coins } }, random) =>
    coins.length < sizeOfControl
      ? []
      : random
          .choose(coins, sizeOfControl)
          .sort((left, right) => left.record.sequence - right.record.sequence),
};

/**
 * Deals as the building of traps does: thinning, a set of sixteen coins, a second one of what is left
 * when the tenant has stopped, three lots each; the audit claims the first lot of either.
 *
 * @param largestArea as in `MatchingOptions`; 1 keeps all coins
 */
export function dealSealedLots(audit: DealtAudit, largestArea: number): readonly CoinQuestion[] {
  const { material } = audit;
  const key = lotKeyOf(audit);
  const coins = keptCoins(audit, largestArea);
  const last = material.logged.at(-1)?.record.sequence ?? -1;
  const first = chooseCoins(coins, { after: -1, wanted: coinsOfFirstSet, last });
  const rest = chooseCoins(coins, { after: first.through, wanted: coins.length + 1, last });
  const claimed = new Set(
    [first, rest].flatMap(({ sequences }) =>
      dealCoins(key, sequences, lots, () => '')[0]!.traps.map(({ sequence }) => sequence),
    ),
  );
  return material.coins.filter(({ record }) => claimed.has(record.sequence));
}

function lotKeyOf({ epochKey }: DealtAudit): Uint8Array {
  return derivePurposeKey(epochKey, 'trap-lots');
}

function keptCoins(audit: DealtAudit, largestArea: number): readonly FallenCoin[] {
  const { material } = audit;
  const { features, labels, marginThreshold: threshold } = material.profile;
  const { coins } = thinCoins(
    material.logged.map(({ record: { sequence, input, clean } }) => ({
      sequence,
      input,
      margin: margin(clean),
      pair: topTwo(clean),
    })),
    { key: lotKeyOf(audit), after: -1, features, classes: labels.length, threshold, largestArea },
  );
  return coins;
}

/** Whether thinning kept a coin, so that a set could be sealed when the tenant had stopped. */
function hasSealed(audit: DealtAudit): boolean {
  return keptCoins(audit, largestTrapArea).some(({ isKept }) => isKept);
}

function dealing(largestArea: number): Dealing {
  return (audit) => dealSealedLots(audit, largestArea);
}

/** What traps said of many innocents. */
export interface TrapRates {
  readonly tally: Tally;
  /** Those of the tally and `randomised`. */
  readonly rows: readonly Row[];
  /**
   * How often the last e-value is at least 20 U, where U is uniform and drawn apart: at most 5% where
   * the e-value has a mean of at most 1, and near it where that is exhausted (Ramdas and Manole 2023,
   * "Randomized and exchangeable improvements of Markov's, Chebyshev's and Chernoff's inequalities").
   */
  readonly randomised: Row;
  /** Coins that a suspect was shown. */
  readonly meanCoins: number;
}

/** Counts how often innocents are accused through traps: one key, tenant and innocent per trial. */
export function simulateTraps(
  { name, scenario, deal, charge = 0 }: TrapCase,
  trials: number,
  seed: string,
  progress?: (done: number) => void,
): TrapRates {
  const tally = new Tally(name, 'at any time');
  const random = seededRandom(`${seed}/${name}/draws`);
  let [reached, shown] = [0, 0];
  for (let turn = 0; turn < trials; turn += 1) {
    const audit = simulateAudit(scenario, `${seed}/${name}`, turn);
    const coins = deal(onlyFallen(audit), random);
    const { highest, final } = runTest(
      labelCoins,
      { ...audit, material: { ...audit.material, coins } },
      'probe',
    );
    const log10P = final.log10P === undefined ? undefined : Math.min(0, final.log10P + charge);
    tally.add((coins.length > 0 ? highest : 0) - charge, log10P);
    shown += coins.length;
    if (final.log10E - charge >= log10Twenty + Math.log10(random.uniform())) reached += 1;
    progress?.(turn + 1);
  }
  const randomised = row(`${name} / E >= 20 U at the end`, 0.05, reached, trials);
  return { tally, rows: [...tally.rows, randomised], randomised, meanCoins: shown / trials };
}

function onlyFallen({ material, epochKey }: Audit): DealtAudit {
  const fallen = fallenCoins(material);
  const coins = material.logged.filter(({ record }) => fallen.has(record.sequence));
  return { material: { ...material, coins }, epochKey };
}

function fallenCoins({ logged }: AuditMaterial): ReadonlySet<number> {
  return new Set(
    logged
      .filter(({ record }) => record.marks.coin !== undefined)
      .map(({ record }) => record.sequence),
  );
}
