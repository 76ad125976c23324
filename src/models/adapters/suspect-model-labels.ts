import { z } from 'zod';
import type { RemoteOptions } from './remote.ts';
import { wireLabels } from './replies.ts';
import { unusable } from './suspect-local.ts';
import { readWith } from './suspect-surroundings.ts';

const labelsFile = z.union([
  wireLabels,
  z.object({ labels: wireLabels }).transform(({ labels }) => labels),
]);

/**
 * Returns the labels of a model file: those configured, else those that `labels.json` beside it lists
 * (an array, or `{"labels": [...]}`), else none.
 *
 * @throws INPUT_INVALID for a labels.json that is something else
 */
export async function labelsBeside(
  directory: string,
  options: RemoteOptions,
): Promise<readonly string[] | undefined> {
  const { suspectLabels } = options;
  if (suspectLabels !== undefined && suspectLabels.length > 0) return suspectLabels;
  const path = `${directory}/labels.json`;
  const bytes = await readWith(options, path).catch(() => undefined);
  if (bytes === undefined) return undefined;
  try {
    return labelsFile.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    throw unusable(path, 'lists no labels', 'it is a JSON array of the labels, in order', cause);
  }
}

/** Returns the directory of a path, with forward slashes. */
export function directoryOf(path: string): string {
  const end = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  return end < 0 ? '.' : path.slice(0, Math.max(end, 1));
}

/** Returns the values of an output of shape [n, K] as rows; undefined for one of another shape. */
export function rowsOf(
  data: ArrayLike<number>,
  shape: readonly number[],
  inputs: number,
): number[][] | undefined {
  const width = data.length / inputs;
  const fits = shape.length === 2 && shape[0] === inputs && shape[1] === width && width > 0;
  if (!fits) return undefined;
  return Array.from({ length: inputs }, (_, row) =>
    Array.from({ length: width }, (_, column) => data[row * width + column]!),
  );
}
