import { seededRandom } from '../../src/stats/sampling.ts';
import { TenantAccuser } from '../../src/watermark/text/tenants/accuser.ts';
import { TenantScreen } from '../../src/watermark/text/tenants/screen.ts';
import {
  type AttributionCase,
  answersOf,
  choose,
  generationTokens,
  keyOf,
  ownKeyOf,
  profileOf,
} from './text-attribution-scene.ts';
import { repetitiveSource, variedSource } from './text-source.ts';

/** How often innocents were accused. */
export interface AttributionRow {
  readonly name: string;
  readonly nominal: number;
  readonly trials: number;
  readonly count: number;
}

const size = { tokens: 20_000, identifierBits: 20 } as const;

/** The cases that the calibration runs. */
export const attributionCases: readonly AttributionCase[] = [
  { name: 'one other tenant', present: 1, marks: 'in turn', source: variedSource, ...size },
  { name: 'two other tenants', present: 2, marks: 'in turn', source: variedSource, ...size },
  { name: 'three other tenants', present: 3, marks: 'in turn', source: variedSource, ...size },
  {
    name: 'three, repetitive text',
    present: 3,
    marks: 'in turn',
    source: repetitiveSource,
    ...size,
  },
  { name: 'three in one student', present: 3, marks: 'at once', source: variedSource, ...size },
];

const independentInnocents = 8;

/**
 * Counts accusations of innocents on texts of a case, one fresh common key and text per trial.
 *
 * Screened innocents of one text are linearly independent of each other and of the tenants in it,
 * so that their scores are independent given the text and count as trials of their own. The xor of
 * two tenants in the text is as innocent as anybody (`TenantScreen`); that of three is not, but it
 * is never issued, so that the screen names nobody.
 */
export function attributionRows(
  setting: AttributionCase,
  trials: number,
  seed: string,
  progress?: (done: number) => void,
): readonly AttributionRow[] {
  const counts = new Counts(`text-attribution / ${setting.name}`);
  for (let trial = 0; trial < trials; trial++) {
    runTrial(setting, `${seed}/${setting.name}/${trial}`, counts);
    progress?.(trial + 1);
  }
  return counts.rows;
}

function runTrial(setting: AttributionCase, seed: string, counts: Counts): void {
  const { identifierBits, present } = setting;
  const profile = profileOf(setting);
  const random = seededRandom(seed);
  const commonKey = keyOf(`${seed}/common`);
  const guilty = choose(random, identifierBits, present, []);
  const innocents = choose(random, identifierBits, independentInnocents, guilty);
  const text = answersOf(profile, commonKey, guilty, setting, seed);
  const screen = new TenantScreen(profile, commonKey);
  screen.fold(text);
  const { leaders } = screen.screening(present + 2);
  const named = leaders.filter(
    ({ identifier, issued, log10PAdjusted }) =>
      issued && log10PAdjusted <= -2 && !guilty.includes(identifier),
  );
  counts.add('screen: an innocent named at 1% of all', 0.01, named.length > 0);
  const xor = guilty.reduce((sum, identifier) => sum ^ identifier, 0);
  if (present > 1) {
    counts.add(
      'screen: the xor of all named at 1% of all',
      0.01,
      leaders.some(({ identifier, issued, log10PAdjusted }) => {
        return identifier === xor && issued && log10PAdjusted <= -2;
      }),
    );
    const pair = screen.score(guilty[0]! ^ guilty[1]!);
    counts.add('screen: xor of two, p <= 0.01', 0.01, pair.log10P <= -2);
  }
  for (const identifier of innocents) {
    const { log10P } = screen.score(identifier);
    counts.add('screen: innocent, p <= 0.01', 0.01, log10P <= -2);
    counts.add('screen: innocent, p <= 0.05', 0.05, log10P <= Math.log10(0.05));
  }
  const candidates = innocents.map((identifier) => ({
    tenant: String(identifier),
    ownKey: ownKeyOf(commonKey, identifier),
  }));
  const accuser = new TenantAccuser(profile, commonKey, candidates);
  const highest = candidates.map(() => 0);
  for (let from = 0; from < text.tokens.length; from += generationTokens) {
    accuser.fold({ tokens: text.tokens.subarray(from, from + generationTokens), promptLength: 0 });
    for (const [index, { log10E }] of accuser.accusations().accusations.entries()) {
      highest[index] = Math.max(highest[index]!, log10E);
    }
  }
  const { accusations, someTenant } = accuser.accusations();
  for (const [index, { log10P }] of accusations.entries()) {
    const betting = highest[index]! >= Math.log10(20);
    counts.add('accusation: innocent, p <= 0.01', 0.01, log10P <= -2);
    counts.add('accusation: innocent, E >= 20 at any time', 0.05, betting);
  }
  counts.add('accusation: some innocent, p <= 0.01', 0.01, someTenant.log10P <= -2);
}

class Counts {
  readonly #prefix: string;
  readonly #rows = new Map<string, AttributionRow>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  add(name: string, nominal: number, accused: boolean): void {
    const { trials, count } = this.#rows.get(name) ?? { trials: 0, count: 0 };
    this.#rows.set(name, {
      name: `${this.#prefix} / ${name}`,
      nominal,
      trials: trials + 1,
      count: count + Number(accused),
    });
  }

  get rows(): readonly AttributionRow[] {
    return [...this.#rows.values()];
  }
}
