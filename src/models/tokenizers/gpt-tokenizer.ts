import type { Tokenizer } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';

/** The encodings that come with the package; each is loaded when it is asked for. */
const encodings = {
  o200k_base: { load: () => import('gpt-tokenizer/encoding/o200k_base'), vocabularySize: 200_019 },
  cl100k_base: {
    load: () => import('gpt-tokenizer/encoding/cl100k_base'),
    vocabularySize: 100_277,
  },
  p50k_base: { load: () => import('gpt-tokenizer/encoding/p50k_base'), vocabularySize: 50_281 },
  r50k_base: { load: () => import('gpt-tokenizer/encoding/r50k_base'), vocabularySize: 50_257 },
} as const;

export type GptEncodingName = keyof typeof encodings;

/** The names of the encodings that come with the package. */
export const gptEncodingNames = Object.keys(encodings) as readonly GptEncodingName[];

/** Merging takes time quadratic in the length of an unbroken run. */
const longRun = /[\p{L}\p{M}]{1000}|\p{N}{1000}|\s{1000}|[^\s\p{L}\p{M}\p{N}]{1000}/gu;

/**
 * Returns one of OpenAI's byte-pair encodings. Its vocabulary size is one more than the highest id,
 * special tokens included, as tiktoken counts it (`n_vocab`).
 *
 * Special tokens are never made: their text is encoded as ordinary text. Lone surrogates become
 * U+FFFD. A run of 1,000 letters, digits, blanks or signs without a break is cut there, so that
 * hostile text takes linear time; other text gets exactly tiktoken's ids.
 *
 * @throws TouchmarkError INPUT_INVALID when ids to decode are not in the encoding
 */
export async function gptTokenizer(encoding: GptEncodingName): Promise<Tokenizer> {
  const { load, vocabularySize } = encodings[encoding];
  const { encode, decode } = await load();
  const name = `gpt-tokenizer:${encoding}`;
  const ordinary = { disallowedSpecial: new Set<string>() };
  return {
    name,
    vocabularySize,
    encode: (text) => {
      const pieces = cutLongRuns(text);
      return pieces.length === 1
        ? encode(text, ordinary)
        : pieces.flatMap((piece) => encode(piece, ordinary));
    },
    decode: (tokens) => {
      try {
        return decode(tokens);
      } catch (cause) {
        throw new TouchmarkError('INPUT_INVALID', `${name} cannot decode these token ids.`, {
          hint: 'Other ids than its own are among them: look whether another tokenizer made them.',
          cause,
        });
      }
    },
  };
}

function cutLongRuns(text: string): string[] {
  const pieces: string[] = [];
  let from = 0;
  for (const { index, 0: run } of text.matchAll(longRun)) {
    pieces.push(text.slice(from, index + run.length));
    from = index + run.length;
  }
  return from < text.length || pieces.length === 0 ? [...pieces, text.slice(from)] : pieces;
}
