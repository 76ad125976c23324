import type { Tokenizer } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { gptEncodingNames, gptTokenizer } from './gpt-tokenizer.ts';

/** What opens each tokenizer that is at hand without any file; a new source is a file and a line. */
const builtIn: Readonly<Record<string, () => Promise<Tokenizer>>> = Object.fromEntries(
  gptEncodingNames.map((encoding) => [`gpt-tokenizer:${encoding}`, () => gptTokenizer(encoding)]),
);

export const tokenizerNames: readonly string[] = Object.keys(builtIn);

/**
 * Returns a built-in tokenizer by the name that profiles use, such as `gpt-tokenizer:o200k_base`.
 *
 * @throws TouchmarkError CONFIG_INVALID naming those there are
 */
export async function openTokenizer(name: string): Promise<Tokenizer> {
  const open = Object.hasOwn(builtIn, name) ? builtIn[name] : undefined;
  if (open !== undefined) return open();
  throw new TouchmarkError('CONFIG_INVALID', `The tokenizer ${name} is not built in.`, {
    hint: `Give token ids instead of text, or the folder of its tokenizer.json. Built in: ${tokenizerNames.join(', ')}.`,
  });
}
