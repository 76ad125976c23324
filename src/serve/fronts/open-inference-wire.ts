import { z } from 'zod';
import type { Input } from '../../contracts.ts';
import { shown } from '../../models/adapters/excerpt.ts';
import { flatten } from '../../models/adapters/tensors.ts';
import type { ServedModel } from '../answering.ts';
import { checkBatch, invalid, readNumbers, readTexts } from '../inputs.ts';
import type { Limits } from '../limits.ts';

/** Whatever else a server may take data for, such as base64, is not what it says as it stands. */
const plainContent = z
  .enum(['str', 'np'], 'must be "str" or "np", or be left out: data is read as it stands')
  .optional();

/** A request of the Open Inference Protocol v2 over REST, as far as a classifier needs it. */
export const inferenceRequest = z.object({
  id: z.string('must be a string').max(256, 'must have at most 256 characters').optional(),
  inputs: z
    .array(
      z.object({
        name: z.string('must be a string').max(256, 'must have at most 256 characters').optional(),
        datatype: z.string('must be a string'),
        shape: z.array(z.int('must be a whole number').min(0, 'must not be negative')).max(16),
        data: z.custom<readonly unknown[]>(
          Array.isArray,
          'must be an array; binary tensor data is not supported',
        ),
        parameters: z.object({ content_type: plainContent }).optional(),
      }),
    )
    .length(1, 'must hold exactly one tensor'),
  outputs: z.array(z.object({ name: z.string('must be a string') })).optional(),
});
type InputTensor = z.infer<typeof inferenceRequest>['inputs'][number];

/**
 * Returns the inputs of a tensor: BYTES [n] as texts, FP32 [n, ...] as tensors.
 *
 * @throws RequestError 400 when it is not what the model takes
 */
export function readInputTensor(
  tensor: InputTensor,
  { input }: Pick<ServedModel, 'input'>,
  limits: Limits,
): readonly Input[] {
  const { datatype, shape, data } = tensor;
  const expected = input === 'text' ? 'BYTES' : 'FP32';
  if (datatype !== expected) {
    throw invalid(`inputs[0].datatype is ${shown(datatype)}; this model takes ${expected}`);
  }
  const [count, ...rest] = shape;
  const item = input === 'text' ? [] : input.tensor;
  if (count === undefined || rest.join() !== item.join()) {
    throw invalid(`inputs[0].shape is [${shape}]; this model takes [${['n', ...item].join(', ')}]`);
  }
  checkBatch(count, limits);
  const flat = flatten(data, shape);
  if (flat === undefined) {
    throw invalid(
      `inputs[0].data holds ${data.length} entries and does not fill the shape [${shape}]; make them agree`,
    );
  }
  const place = 'inputs[0].data';
  if (input === 'text') return readTexts(flat, place, limits);
  const numbers = readNumbers(flat, (position) => `${place}[${position}]`);
  const size = numbers.length / count;
  return Array.from({ length: count }, (_, row) => ({
    shape: item,
    data: numbers.slice(row * size, (row + 1) * size),
  }));
}
