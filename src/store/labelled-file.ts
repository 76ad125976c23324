import { z } from 'zod';
import type { Input } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { canonicalBytes } from '../keys/canonical-input.ts';
import { readTextIfPresent } from './project-files.ts';

/** A question and the name of the class that it truly has. */
export interface LabelledLine {
  readonly input: Input;
  readonly label: string;
}

const lineSchema = z.strictObject({
  input: z.union([
    z.string(),
    z.strictObject({
      shape: z.array(z.int().nonnegative()).max(8),
      data: z.array(z.number()),
    }),
  ]),
  label: z.string().min(1),
});

/**
 * Returns labelled questions, one JSON object `{"input": ..., "label": "..."}` per line; empty lines
 * are skipped.
 *
 * @throws TouchmarkError INPUT_INVALID naming file and line, or the file when there is none
 */
export async function readLabelledFile(path: string): Promise<LabelledLine[]> {
  const text = await readTextIfPresent(path);
  if (text === undefined) {
    throw new TouchmarkError('INPUT_INVALID', `There is no file of labelled data ${path}.`, {
      hint: 'Put one JSON object {"input": ..., "label": "..."} per line there.',
    });
  }
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .flatMap((line, index) => (line === '' ? [] : [readLine(path, index + 1, line)]));
}

function readLine(path: string, number: number, line: string): LabelledLine {
  try {
    const { input, label } = lineSchema.parse(JSON.parse(line));
    const read =
      typeof input === 'string'
        ? input
        : { shape: input.shape, data: Float32Array.from(input.data) };
    canonicalBytes(read);
    return { input: read, label };
  } catch (cause) {
    throw new TouchmarkError('INPUT_INVALID', `${path}:${number} is no labelled question.`, {
      hint: 'A line is {"input": "text", "label": "..."} or {"input": {"shape": [...], "data": [...]}, "label": "..."}.',
      cause,
    });
  }
}
