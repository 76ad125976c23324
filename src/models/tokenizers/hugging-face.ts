import type { Tokenizer } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';

/**
 * What is used of a tokenizer object of `@huggingface/transformers` or `@lenml/tokenizers`; the
 * first names its special tokens `all_special_tokens`, the second `special_tokens`.
 */
export interface HuggingFaceTokenizer {
  encode(text: string, options: { readonly add_special_tokens: boolean }): number[];
  decode(
    tokens: number[],
    options: {
      readonly skip_special_tokens: boolean;
      readonly clean_up_tokenization_spaces: boolean;
    },
  ): string;
  readonly all_special_tokens?: readonly string[];
  readonly special_tokens?: readonly string[];
}

/**
 * Returns a tokenizer object of another library as a `Tokenizer`. No special token is added, and the
 * text of one is encoded as ordinary text: it is cut in two after its first character.
 *
 * @param options.name what profiles call the tokenizer
 * @param options.vocabularySize one more than the highest id; models often have more logits than that
 * @throws TouchmarkError INPUT_INVALID when the library cannot encode a text or decode ids
 */
export function adaptTokenizer(
  tokenizer: HuggingFaceTokenizer,
  options: { readonly name: string; readonly vocabularySize: number },
): Tokenizer {
  const { name, vocabularySize } = options;
  const special = specialPattern(tokenizer.all_special_tokens ?? tokenizer.special_tokens ?? []);
  const encodePiece = (piece: string) =>
    piece === '' ? [] : tokenizer.encode(piece, { add_special_tokens: false }).map(requireId);
  return {
    name,
    vocabularySize,
    encode: (text) =>
      refusedAs(`${name} cannot encode this text.`, () =>
        special === undefined ? encodePiece(text) : text.split(special).flatMap(encodePiece),
      ),
    decode: (tokens) =>
      refusedAs(`${name} cannot decode these token ids.`, () =>
        tokens.length === 0
          ? ''
          : tokenizer.decode([...tokens], {
              skip_special_tokens: false,
              clean_up_tokenization_spaces: false,
            }),
      ),
  };
}

/** Matches the empty place after the first character of every special token. */
function specialPattern(tokens: readonly string[]): RegExp | undefined {
  const places = tokens.flatMap((token) => {
    const [first = '', ...rest] = token;
    return rest.length === 0 ? [] : [`(?<=${quoted(first)})(?=${quoted(rest.join(''))})`];
  });
  return places.length === 0 ? undefined : new RegExp(places.join('|'), 'u');
}

/** One of the libraries gives no id for what its vocabulary lacks. */
function requireId(id: number): number {
  if (Number.isInteger(id)) return id;
  throw new RangeError('The vocabulary lacks a part of the text.');
}

function quoted(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function refusedAs<Result>(message: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    throw new TouchmarkError('INPUT_INVALID', message, {
      hint: 'See whether the profile names the tokenizer that made this text.',
      cause,
    });
  }
}
