import { createHash } from 'node:crypto';
import { parseTextProfile, type TextProfile } from '../../../src/watermark/text/profile.ts';
import type { TextKey } from '../../../src/watermark/text/text-key.ts';

/** A scheme over a pseudorandom function whose null is to be tried. */
export interface TextCase {
  readonly name: string;
  readonly profile: TextProfile;
  /** The tokens that choose a mark; 0 for a fixed list. */
  readonly width: number;
  /** Most tokens of a text: fewer where a function is slow. */
  readonly longest: number;
  /** Texts in a row that share a key: more than one only where opening a key is slow. */
  readonly textsPerKey: number;
}

type Scheme = TextProfile['scheme'];
type Prf = TextProfile['prf'];

export const shortestText = 100;
export const longestText = 200;
const textsPerSlowKey = 100;

const vocabularies = {
  whole: { name: 'gpt-tokenizer:r50k_base', vocabularySize: 50_257 },
  folded: { name: 'gpt-tokenizer:r50k_base modulo 1024', vocabularySize: 1024 },
} as const;

const green = (gamma: number): Scheme => ({ name: 'green-list', gamma, delta: 2 });
const fixed = (gamma: number): Scheme => ({ name: 'fixed-green-list', gamma, delta: 2 });
const gumbel: Scheme = { name: 'gumbel' };
const tournament: Scheme = { name: 'tournament', depth: 30 };

const native = (contextWidth: number): Prf => ({ name: 'native', contextWidth });
const huggingFace = (seeding: 'lefthash' | 'selfhash', contextWidth: number): Prf => ({
  name: 'hugging-face',
  seeding,
  contextWidth,
});
const synthId = (name: 'synthid-hf' | 'synthid-deepmind', ngramLength: number): Prf => ({
  name,
  ngramLength,
});
const vllm = (keys: 'single' | 'dual', contextWidth: number): Prf => ({
  name: 'vllm-philox',
  keys,
  contextWidth,
});

/** Every scheme over every function that carries it, at the widths that servers use. */
export const textCases: readonly TextCase[] = [
  ...[1, 2, 4].flatMap((width) =>
    [green(0.25), green(0.5), green(0.3), gumbel, tournament].map((scheme) =>
      textCase(scheme, native(width)),
    ),
  ),
  textCase(fixed(0.5), native(0)),
  textCase(green(0.25), huggingFace('lefthash', 1)),
  textCase(green(0.25), huggingFace('selfhash', 4)),
  ...(['synthid-hf', 'synthid-deepmind'] as const).flatMap((name) => [
    textCase(tournament, synthId(name, 5)),
    textCase(green(0.5), synthId(name, 5)),
    textCase(fixed(0.5), synthId(name, 1)),
  ]),
  ...[gumbel, green(0.25), tournament].map((scheme) => textCase(scheme, vllm('single', 4))),
  textCase(fixed(0.25), vllm('single', 0)),
  textCase(gumbel, vllm('dual', 4)),
];

/** What the cases do not try as it is in the field, and why. */
export const textCaseNotes: readonly string[] = [
  `texts have ${shortestText} to ${longestText} tokens; ${shortestText} under hugging-face and synthid-deepmind, which are slow`,
  'hugging-face shuffles its vocabulary for every list: it reads token ids modulo 1024',
  `selfhash shuffles a million numbers for every key: ${textsPerSlowKey} texts in a row share one`,
  'fixed keys read texts of places that have no token in common; common phrases remain',
];

/** Finds a case by its name. */
export function textCaseOf(name: string): TextCase {
  const found = textCases.find((each) => each.name === name);
  if (!found) throw new RangeError(`there is no text case ${name}`);
  return found;
}

/** Makes the key of a profile's stack from a seed. */
export function keyFor({ prf }: TextProfile, seed: string): TextKey {
  const bytes = createHash('shake256', { outputLength: 128 }).update(seed).digest();
  switch (prf.name) {
    case 'native':
      return { stack: 'touchmark', epochKey: bytes.subarray(0, 32) };
    case 'hugging-face':
      return { stack: 'hugging-face', hashingKey: bytes.readBigUInt64LE() >> 1n };
    case 'vllm-philox':
      return { stack: 'vllm', key: bytes.readBigUInt64LE() };
    default: {
      const keys = Array.from({ length: 30 }, (_, layer) => bytes.readUInt32LE(4 * layer) >>> 1);
      return { stack: 'synthid', keys };
    }
  }
}

function textCase(scheme: Scheme, prf: Prf): TextCase {
  const width = 'ngramLength' in prf ? prf.ngramLength - 1 : prf.contextWidth;
  const isSlow = prf.name === 'hugging-face' || prf.name === 'synthid-deepmind';
  const variant =
    'seeding' in prf ? ` ${prf.seeding}` : 'keys' in prf && prf.keys === 'dual' ? ' dual' : '';
  // Servers of these stacks leave repeated contexts alone; without context all but one would repeat.
  const skipsRepeats = width > 0 && (prf.name.startsWith('synthid') || prf.name === 'vllm-philox');
  const share = 'gamma' in scheme ? ` ${scheme.gamma}` : '';
  return {
    name: `${prf.name}${variant} / ${scheme.name}${share} / width ${width}`,
    width,
    longest: isSlow ? shortestText : longestText,
    textsPerKey: 'seeding' in prf && prf.seeding === 'selfhash' ? textsPerSlowKey : 1,
    profile: parseTextProfile(
      {
        schema: 'touchmark/text-profile@1',
        scheme,
        prf,
        repeats: skipsRepeats ? 'turn' : 'mark',
        tokenizer: prf.name === 'hugging-face' ? vocabularies.folded : vocabularies.whole,
      },
      'a case of the calibration',
    ),
  };
}
