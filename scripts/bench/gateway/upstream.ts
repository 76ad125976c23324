/** A classifier of 24 classes behind the Open Inference protocol, in a process of its own. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { hashNgrams } from '../../../src/watermark/probability/features.ts';

const classes = 24;
const ngrams = { dimensions: 4096, shortest: 1, longest: 3, seed: 7 };
const labels = Array.from({ length: classes }, (_, index) => `class-${index}`);
const random = seededRandom('gateway bench');
const weights = Float32Array.from(
  { length: ngrams.dimensions * classes },
  () => 6 * random.normal(),
);

function classify(text: string): number[] {
  const { indices, values } = hashNgrams(text, ngrams);
  const logits = new Float64Array(classes);
  for (let entry = 0; entry < indices.length; entry++) {
    const from = indices[entry]! * classes;
    for (let k = 0; k < classes; k++) logits[k]! += values[entry]! * weights[from + k]!;
  }
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
  const rows: number[][] = inputs[0].data.map(classify);
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
