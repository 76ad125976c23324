import { createHash } from 'node:crypto';
import type { TokenMarker } from '../../src/contracts.ts';
import type { SeededRandom } from '../../src/stats/sampling.ts';
import { parseTextProfile, type TextProfile } from '../../src/watermark/text/profile.ts';
import {
  identifierCapacity,
  tenantIdentifier,
} from '../../src/watermark/text/tenants/identifiers.ts';
import { openTenantWatermark } from '../../src/watermark/text/tenants/tenant-watermark.ts';
import type { TokenText } from '../../src/watermark/text/token-pairs.ts';
import { generateText, type TextSource } from './text-source.ts';

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

/** Tokens of one answer. */
export const generationTokens = 500;

/** A profile that codes half of the contexts and leaves the others to own keys. */
export function profileOf({ identifierBits, source }: AttributionCase): TextProfile {
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

/** The answers of the tenants in one text. */
export function answersOf(
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
export function choose(
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

/** The own key of a tenant in the epoch of a common key. */
export function ownKeyOf(commonKey: Uint8Array, identifier: number): Buffer {
  return createHash('sha256').update(commonKey).update(`own ${identifier}`).digest();
}

/** A key that a name chooses. */
export function keyOf(name: string): Buffer {
  return createHash('sha256').update(name).digest();
}
