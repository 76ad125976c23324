import { z } from 'zod';
import { wireLabels } from './replies.ts';

const name = z.string().min(1).max(256);
const parameters = z
  .object({ labels: wireLabels.or(z.string().transform(jsonText).pipe(wireLabels)) })
  .transform(({ labels }) => labels)
  .optional()
  .catch(undefined);
const tensors = z
  .array(z.object({ name, datatype: z.string().max(32).optional(), parameters }))
  .catch([]);
const metadata = z
  .object({
    name: name.optional().catch(undefined),
    versions: z.array(z.string().max(256)).catch([]),
    inputs: tensors,
    outputs: tensors,
    parameters,
  })
  .catch({ name: undefined, versions: [], inputs: [], outputs: [], parameters: undefined });

/** What a model's metadata says; what it does not say is absent. */
export interface KserveModel {
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  readonly input?: { readonly name: string; readonly datatype?: string | undefined } | undefined;
  /** The names of its outputs. */
  readonly outputs: ReadonlySet<string>;
  /** The labels of the columns of its probabilities. */
  readonly labels?: readonly string[] | undefined;
}

/** What is known of a model whose server offers no metadata. */
export const unknownModel: KserveModel = { outputs: new Set() };

/**
 * Returns what the model metadata of an Open Inference server says; a part that cannot be read counts
 * as absent, since many servers implement only some of it.
 *
 * Labels are `parameters.labels` of an output or of the model: an array, or an array written as JSON
 * text. Never throws.
 */
export function readMetadata(document: unknown): KserveModel {
  const { name, versions, inputs, outputs, parameters } = metadata.parse(document);
  return {
    name,
    version: versions.at(-1),
    input: inputs[0],
    outputs: new Set(outputs.map((output) => output.name)),
    labels: [...outputs.map((output) => output.parameters), parameters].find(
      (each) => each?.length,
    ),
  };
}

function jsonText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
