import { createHash } from 'node:crypto';
import type { TokenMarker } from '../../src/contracts.ts';
import { type SeededRandom, seededRandom } from '../../src/stats/sampling.ts';
import { parseTextProfile, type TextProfile } from '../../src/watermark/text/profile.ts';
import { accuse } from '../../src/watermark/text/tenants/accuser.ts';
import {
  identifierCapacity,
  tenantIdentifier,
} from '../../src/watermark/text/tenants/identifiers.ts';
import { TenantScreen } from '../../src/watermark/text/tenants/screen.ts';
import { openTenantWatermark } from '../../src/watermark/text/tenants/tenant-watermark.ts';
import type { TokenText } from '../../src/watermark/text/token-pairs.ts';
import { generateText, repetitiveSource, type TextSource, variedSource } from './text-source.ts';

/** How often innocents were accused. */
export interface AttributionRow {
  readonly name: string;
  readonly nominal: number;
  readonly trials: number;
  readonly count: number;
}

/** A text that some tenants truly answered, and innocents who did not. */
export interface AttributionCase {
  readonly name: string;
  /** Tenants in the text. */
  readonly present: 1 | 2 | 3;
  /** Generations are theirs in turn, or all of them mark every token, as a student of all would. */
  readonly marks: 'in turn' | 'at once';
  readonly source: TextSource;
  readonly tokens: number;
  readonly identifierBits: number;
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

const generationTokens = 500;
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
  const { accusations, someTenant } = accuse(profile, commonKey, [text], candidates);
  for (const { log10P, log10E } of accusations) {
    counts.add('accusation: innocent, p <= 0.01', 0.01, log10P <= -2);
    counts.add('accusation: innocent, E >= 20 at the end', 0.05, log10E >= Math.log10(20));
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

function profileOf({ identifierBits, source }: AttributionCase): TextProfile {
  return parseTextProfile(
    {
      schema: 'touchmark/text-profile@1',
      scheme: { name: 'green-list', gamma: 0.5, delta: 2 },
      prf: { name: 'native', contextWidth: source.order },
      repeats: 'mark',
      tenants: { identifierBits, layers: { common: 0, code: 8, own: 8 } },
      tokenizer: { name: 'make-believe', vocabularySize: source.vocabularySize },
    },
    'calibration',
  );
}

function answersOf(
  profile: TextProfile,
  commonKey: Uint8Array,
  guilty: readonly number[],
  { source, tokens, marks }: AttributionCase,
  seed: string,
): TokenText {
  const watermarks = guilty.map((identifier) =>
    openTenantWatermark(profile, {
      commonKey,
      identifier,
      ownKey: ownKeyOf(commonKey, identifier),
    }),
  );
  const all = new Int32Array(tokens);
  for (let from = 0, turn = 0; from < tokens; from += generationTokens, turn++) {
    const markers = watermarks.map((watermark) => watermark.marker({ promptLength: 0 }));
    const marking = marks === 'at once' ? markers : [markers[turn % markers.length]!];
    const marker: TokenMarker = {
      mark: (logits, context) => {
        for (const each of marking) each.mark(logits, context);
      },
    };
    const length = Math.min(generationTokens, tokens - from);
    all.set(generateText(source, length, `${seed}/${turn}`, marker), from);
  }
  return { tokens: all, promptLength: 0 };
}

/** Draws issued identifiers that are linearly independent of each other and of others. */
function choose(
  random: SeededRandom,
  bits: number,
  count: number,
  others: readonly number[],
): readonly number[] {
  const basis: number[] = [];
  for (const other of others) extend(basis, other);
  const chosen: number[] = [];
  while (chosen.length < count) {
    const identifier = tenantIdentifier(random.integer(identifierCapacity(bits)), bits);
    if (extend(basis, identifier)) chosen.push(identifier);
  }
  return chosen;
}

/** Adds a vector of F_2^bits to a basis, and says whether it was independent. */
function extend(basis: number[], vector: number): boolean {
  const rest = basis.reduce((left, each) => Math.min(left, left ^ each), vector);
  if (rest === 0) return false;
  basis.push(rest);
  basis.sort((a, b) => b - a);
  return true;
}

function ownKeyOf(commonKey: Uint8Array, identifier: number): Buffer {
  return createHash('sha256').update(commonKey).update(`own ${identifier}`).digest();
}

function keyOf(name: string): Buffer {
  return createHash('sha256').update(name).digest();
}
