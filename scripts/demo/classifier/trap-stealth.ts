/** Measures whether coin traps of the demonstration's traffic can be told from it, and what hiding them costs. */
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { Input } from '../../../src/contracts.ts';
import { thinCoins } from '../../../src/models/training/coin-thinning.ts';
import { measureStealth } from '../../../src/models/training/stealth.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { margin, marginThreshold } from '../../../src/watermark/label/coins.ts';
import {
  servingFloor,
  toDistribution,
  topTwo,
} from '../../../src/watermark/probability/distribution.ts';
import { carrierNgrams } from '../../../src/watermark/probability/features.ts';
import { stderrProgress } from '../../progress.ts';
import { labels } from './languages.ts';
import { loadProtectedModel } from './protected-model.ts';
import { drawPools, type Snippet } from './snippets.ts';

const coinShare = 0.02;
const features = { kind: 'text', ngrams: carrierNgrams } as const;
const { values, positionals } = parseArgs({
  options: {
    /** Asks the snippets of all pools, some 17,000 that overlap in part, and not the attacker's 5,000. */
    large: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const seeds = positionals.length > 0 ? positionals : ['1', '2', '3', '4', '5', '6'];
const predict = await loadProtectedModel();
const progress = stderrProgress();
const rows = seeds.map((seed, index) => {
  const row = measure(seed);
  progress('seeds', index + 1, seeds.length);
  return row;
});
process.stdout.write(
  'seed  coins  kept  area before  as many at random  after thinning  after the first half\n',
);
for (const row of rows) process.stdout.write(`${row.map(cell).join('')}\n`);
const means = rows[0]!.map((_, column) => mean(rows.map((row) => row[column]!)));
process.stdout.write(`${['mean', ...means.slice(1)].map(cell).join('')}\n`);

function measure(seed: string): number[] {
  const { questions, threshold } = traffic(seed);
  const ordinary = questions.filter((each) => each.margin >= threshold).map(({ input }) => input);
  const coins = questions.filter((each) => each.margin < threshold);
  const key = createHash('sha256').update(`trap lots ${seed}`).digest();
  const options = { key, after: -1, features, classes: labels.length, threshold };
  const keptOf = new Set(
    thinCoins(questions, options)
      .coins.filter(({ isKept }) => isKept)
      .map(({ sequence }) => sequence),
  );
  const kept = coins.filter(({ sequence }) => keptOf.has(sequence));
  const late = kept.filter(({ sequence }) => sequence > questions.length / 2);
  const area = (traps: readonly { readonly input: Input }[]) =>
    measureStealth(
      traps.map(({ input }) => input),
      ordinary,
      { features },
    ).areaUnderCurve ?? Number.NaN;
  const asMany = seededRandom(seed).choose(coins, kept.length);
  return [
    Number(seed),
    coins.length,
    kept.length,
    area(coins),
    area(asMany),
    area(kept),
    area(late),
  ];
}

/** The demonstration's questions, as the gateway's log would have them, and its threshold. */
function traffic(seed: string) {
  const pools = drawPools(seed, values.large ? 1_000_000 : 5000);
  const asked = values.large
    ? seededRandom(seed).shuffle([...pools.attacker, ...pools.twin, ...pools.fresh])
    : pools.attacker;
  const questions = asked.map(({ text }: Snippet, sequence) => {
    const clean = toDistribution(predict(text).probabilities!, servingFloor);
    return { sequence, input: text, margin: margin(clean), pair: topTwo(clean) };
  });
  const twin = pools.twin.map(({ text }) =>
    margin(toDistribution(predict(text).probabilities!, servingFloor)),
  );
  return { questions, threshold: marginThreshold(twin, coinShare) };
}

function mean(numbers: readonly number[]): number {
  const known = numbers.filter((each) => !Number.isNaN(each));
  return known.reduce((sum, each) => sum + each, 0) / known.length;
}

function cell(value: number | string): string {
  if (typeof value === 'string') return value.padStart(8);
  if (Number.isNaN(value)) return 'too few'.padStart(12);
  return (value > 0 && value < 1 ? value.toFixed(3) : value.toFixed(0)).padStart(8);
}
