/** A classifier of 24 classes behind the Open Inference protocol, in a process of its own. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { hashNgrams } from '../../../src/watermark/probability/features.ts';

const classes = 24;
const hidden = 768;
const ngrams = { dimensions: 4096, shortest: 1, longest: 3, seed: 7 };
const labels = Array.from({ length: classes }, (_, index) => `class-${index}`);
const random = seededRandom('gateway bench');
const weights = (inputs: number, outputs: number) =>
  Float32Array.from({ length: inputs * outputs }, () => random.normal() / Math.sqrt(inputs));
const [first, second, last] = [
  weights(ngrams.dimensions, hidden).map((weight) => 60 * weight),
  weights(hidden, hidden),
  weights(hidden, classes).map((weight) => 4 * weight),
];
const kind = process.argv[2];
/** How long a model on a machine of its own takes. */
const elsewhereMilliseconds = 5;
/** What models answer that take no time here. */
const fixed = softmax(Float64Array.from({ length: classes }, (_, index) => -index / 4));

/** Two hidden layers over hashed n-grams: some .8 million products a text. */
function classify(text: string): readonly number[] {
  if (kind !== 'network') return fixed;
  const { indices, values } = hashNgrams(text, ngrams);
  const one = new Float64Array(hidden);
  for (let entry = 0; entry < indices.length; entry++) {
    const from = indices[entry]! * hidden;
    for (let unit = 0; unit < hidden; unit++) one[unit]! += values[entry]! * first[from + unit]!;
  }
  return softmax(dense(dense(one, second, hidden), last, classes));
}

/** Rectifies, then multiplies by a matrix. */
function dense(input: Float64Array, matrix: Float32Array, outputs: number): Float64Array {
  const output = new Float64Array(outputs);
  for (let row = 0; row < input.length; row++) {
    const value = input[row]!;
    if (value <= 0) continue;
    for (let unit = 0; unit < outputs; unit++)
      output[unit]! += value * matrix[row * outputs + unit]!;
  }
  return output;
}

function softmax(logits: Float64Array): readonly number[] {
  const highest = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - highest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader('content-type', 'application/json');
  if (request.method === 'GET') {
    const outputs = [
      { name: 'probabilities', datatype: 'FP32', shape: [-1, classes] },
      { name: 'label', datatype: 'BYTES', shape: [-1] },
    ];
    const inputs = [{ name: 'text', datatype: 'BYTES', shape: [-1] }];
    response.end(
      JSON.stringify({ name: 'm', versions: ['1'], inputs, outputs, parameters: { labels } }),
    );
    return;
  }
  const { inputs } = JSON.parse((await buffer(request)).toString());
  if (kind === 'elsewhere') await pause(elsewhereMilliseconds);
  const rows: (readonly number[])[] = inputs[0].data.map(classify);
  const best = rows.map((row) => labels[row.indexOf(Math.max(...row))]);
  const shape = [rows.length];
  response.end(
    JSON.stringify({
      model_name: 'm',
      model_version: '1',
      outputs: [
        {
          name: 'probabilities',
          datatype: 'FP32',
          shape: [rows.length, classes],
          data: rows.flat(),
        },
        { name: 'label', datatype: 'BYTES', shape, data: best },
      ],
    }),
  );
}

const server = createServer((request, response) => void answer(request, response));
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.once('disconnect', () => process.exit());
