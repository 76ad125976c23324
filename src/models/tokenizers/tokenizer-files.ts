import type { Tokenizer } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { adaptTokenizer } from './hugging-face.ts';

/**
 * Returns the tokenizer that the files of a model describe, as transformers.js reads them.
 *
 * @param files.tokenizer what `tokenizer.json` holds
 * @param files.config what `tokenizer_config.json` holds
 * @param options.name what profiles call the tokenizer
 * @throws TouchmarkError CONFIG_INVALID when @huggingface/transformers is not installed, or cannot
 *   read the files
 */
export async function openTokenizerFiles(
  files: { readonly tokenizer: unknown; readonly config: unknown },
  options: { readonly name: string; readonly vocabularySize: number },
): Promise<Tokenizer> {
  const { PreTrainedTokenizer } = await import('@huggingface/transformers').catch(
    (cause: unknown) => {
      throw new TouchmarkError('CONFIG_INVALID', '@huggingface/transformers is not installed.', {
        hint: 'It reads tokenizer.json: npm install @huggingface/transformers. Or give token ids.',
        cause,
      });
    },
  );
  const { tokenizer, config } = files;
  try {
    if (!isRecord(tokenizer) || !isRecord(config)) throw new TypeError('No JSON object.');
    return adaptTokenizer(new PreTrainedTokenizer(tokenizer, config), options);
  } catch (cause) {
    throw new TouchmarkError(
      'CONFIG_INVALID',
      'transformers.js cannot read these tokenizer files.',
      {
        hint: 'Give the tokenizer.json and tokenizer_config.json that came with the model.',
        cause,
      },
    );
  }
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
