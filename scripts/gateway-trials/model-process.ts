/** An Open Inference server in a process of its own, which answers as its parent tells it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { inferenceReply, labels } from './model.ts';
import { faults } from './model-faults.ts';

/** What the parent says: a fault by its name, a delay in milliseconds, or a wish to know the texts. */
export interface Order {
  readonly fault?: string | null;
  readonly milliseconds?: number;
  readonly tellAsked?: true;
}

let fault: string | null = null;
let milliseconds = 0;
const asked: string[] = [];

const about = {
  name: 'letters',
  versions: ['1'],
  outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [-1, labels.length] }],
  parameters: { labels },
};

const server = createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
  response.on('error', () => undefined);
  const body = await text(request).catch(() => '');
  if (request.method === 'GET') {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(request.url?.endsWith('ready') ? {} : about));
    return;
  }
  const texts: string[] = JSON.parse(body).inputs[0].data;
  asked.push(...texts);
  if (fault !== null) {
    faults[fault]!.answer({ texts, response });
    return;
  }
  if (milliseconds > 0) await pause(milliseconds);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(inferenceReply(texts)));
});
process.on('message', (order: Order) => {
  if (order.fault !== undefined) fault = order.fault;
  if (order.milliseconds !== undefined) milliseconds = order.milliseconds;
  process.send!(order.tellAsked ? asked.splice(0) : 'done');
});
process.once('disconnect', () => process.exit());
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  process.send!((server.address() as AddressInfo).port);
});
