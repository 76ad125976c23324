/** A suspect with a process of its own: real HTTP, and a stated time for each question. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { labels } from './material.ts';

const millisecondsPerQuestion = Number(process.argv[2]);

/** Rows that are written out once: what a suspect computes is no part of what is measured. */
const rows = (() => {
  const random = seededRandom('suspect');
  return Array.from({ length: 1009 }, () => {
    const weights = labels.map(() => Math.exp(2 * random.normal()));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return JSON.stringify(weights.map((weight) => weight / sum));
  });
})();
const head = `{"labels":${JSON.stringify(labels)},"probabilities":[`;

function rowOf(question: string): string {
  let hash = 0;
  for (let at = 0; at < question.length; at += 1) hash = (31 * hash + question.charCodeAt(at)) | 0;
  return rows[(hash >>> 0) % rows.length]!;
}

const server = createServer(async (request, response) => {
  const { inputs } = (await json(request)) as { readonly inputs: readonly string[] };
  const due = performance.now() + millisecondsPerQuestion * inputs.length;
  const body = `${head}${inputs.map(rowOf).join()}]}`;
  const left = due - performance.now();
  if (left > 0) await setTimeout(left);
  response.setHeader('content-type', 'application/json');
  response.end(body);
});
server.listen(0, '127.0.0.1', () => {
  process.send!(`http://127.0.0.1:${(server.address() as AddressInfo).port}/classify`);
});
process.once('disconnect', () => process.exit());
