import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { Tokenizer } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { openTokenizer } from '../models/tokenizers/registry.ts';
import { openTokenizerFiles } from '../models/tokenizers/tokenizer-files.ts';
import { readJsonDocument } from '../store/json-document.ts';

const tokenizerFile = z.looseObject({
  model: z.looseObject({
    vocab: z.union([z.record(z.string(), z.int().min(0)), z.array(z.unknown())]),
  }),
  added_tokens: z.array(z.looseObject({ id: z.int().min(0) })).default([]),
});

/**
 * Opens the served model's tokenizer: a built-in one by name, or that of a folder with `tokenizer.json`
 * and `tokenizer_config.json`, which is named by the file's hash.
 *
 * @throws TouchmarkError CONFIG_INVALID when there is none, or @huggingface/transformers is not installed
 */
export async function openServedTokenizer(named: string, directory: string): Promise<Tokenizer> {
  if (named.startsWith('gpt-tokenizer:')) return openTokenizer(named);
  const folder = resolve(directory, named);
  const [tokenizer, config] = await Promise.all(
    ['tokenizer.json', 'tokenizer_config.json'].map((name) =>
      readJsonDocument(join(folder, name), 'tokenizer file'),
    ),
  );
  const hash = createHash('sha256').update(JSON.stringify(tokenizer)).digest('hex').slice(0, 16);
  const options = { name: `tokenizer.json:${hash}`, vocabularySize: vocabularySize(tokenizer) };
  return openTokenizerFiles({ tokenizer, config }, options);
}

function vocabularySize(value: unknown): number {
  const { data } = tokenizerFile.safeParse(value);
  if (data === undefined) {
    throw new TouchmarkError('CONFIG_INVALID', 'tokenizer.json has no vocabulary.', {
      hint: 'Give text.tokenizer the folder of the files that came with the model.',
    });
  }
  const { vocab } = data.model;
  const ids = Array.isArray(vocab) ? [vocab.length - 1] : Object.values(vocab);
  let largest = 0;
  for (const id of ids) largest = Math.max(largest, id);
  for (const { id } of data.added_tokens) largest = Math.max(largest, id);
  return largest + 1;
}
