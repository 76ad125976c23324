import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import httpProxy from '@fastify/http-proxy';
import fastify from 'fastify';
import { request } from 'undici';
import { openServingLog } from '../../src/ledger/serving-log.ts';
import { createGateway } from '../../src/serve/gateway.ts';
import { openAiProxy } from '../../src/serve/proxy/openai/front.ts';
import { UpstreamConnection } from '../../src/serve/proxy/upstream-connection.ts';
import { createTextMarking } from '../../src/serve/text-marking.ts';
import { parseTextProfile } from '../../src/watermark/text/profile.ts';
import { type BenchRow, median } from './measure.ts';

const streams = 4;
const chunks = 200;
/** On average, between two chunks of a stream. */
const gapMilliseconds = 5;
const warmUpRounds = 2;
const rounds = 15;
const biases = 300;

/** What a chunk of a stream loses on its way through the gateway, against a plain Fastify proxy. */
export async function benchStreaming(): Promise<readonly BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), 'touchmark-bench-'));
  const [upstream, upstreamAt] = await start('upstream', '', directory);
  const [plain, plainAt] = await start('plain', upstreamAt, directory);
  const [gateway, gatewayAt] = await start('gateway', upstreamAt, directory);
  try {
    const measured: Delays[] = [];
    for (let round = 0; round < warmUpRounds + rounds; round++) {
      const [plain, gateway] = await Promise.all([measure(plainAt), measure(gatewayAt)]);
      if (round >= warmUpRounds) measured.push({ plain, gateway });
    }
    return [
      rowOf('gateway/streaming-chunk', 'median', measured, median),
      rowOf('gateway/streaming-chunk-p99', '99th percentile', measured, percentile99),
    ];
  } finally {
    for (const child of [gateway, plain, upstream]) child.kill();
    await rm(directory, { recursive: true });
  }
}

/** Milliseconds of each chunk of a round, in which both are asked at once and share what else runs. */
interface Delays {
  readonly plain: readonly number[];
  readonly gateway: readonly number[];
}

function rowOf(
  name: string,
  what: string,
  measured: readonly Delays[],
  of: (values: readonly number[]) => number,
): BenchRow {
  const theirs = median(measured.map(({ plain }) => of(plain)));
  const ours = median(measured.map(({ gateway }) => of(gateway)));
  const added = median(measured.map(({ plain, gateway }) => of(gateway) - of(plain)));
  return {
    name,
    value: added,
    unit: `ms added to a chunk, ${what}, ${streams} streams at a time through each`,
    ratio: ours / theirs,
    against: `plain-proxy: ${theirs.toFixed(2)} ms from the model's write to the client's read`,
  };
}

function percentile99(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(0.99 * values.length)]!;
}

/** Milliseconds from the upstream's write of each chunk to its arrival here. */
async function measure(origin: string): Promise<number[]> {
  const listening = Array.from({ length: streams }, async () => {
    const delays: number[] = [];
    const { body } = await request(`${origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer bench' },
      body: JSON.stringify({ model: 'm', messages: [], stream: true }),
    });
    for await (const bytes of body) {
      const now = process.hrtime.bigint();
      for (const [, sent] of String(bytes).matchAll(/"content":"(\d+) /g)) {
        delays.push(Number(now - BigInt(sent!)) / 1e6);
      }
    }
    if (delays.length !== chunks) throw new Error(`${delays.length} chunks came`);
    return delays;
  });
  return (await Promise.all(listening)).flat();
}

type Role = 'upstream' | 'plain' | 'gateway';

async function start(
  role: Role,
  upstream: string,
  directory: string,
): Promise<[ChildProcess, string]> {
  const child = fork(new URL(import.meta.url), [role, upstream, directory]);
  const [address] = await once(child, 'message');
  return [child, String(address)];
}

/** Streams chunks that say when they were written, as a model does that nothing slows down. */
async function serveUpstream(): Promise<string> {
  const server = createServer(async (asked, response) => {
    asked.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const about = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm' };
    for (let chunk = 0; chunk < chunks; chunk++) {
      await pause(2 * gapMilliseconds * Math.random());
      const choices = [{ index: 0, delta: { content: `${process.hrtime.bigint()} a` }, finish_reason: null }]; // biome-ignore format: one row
      response.write(`data: ${JSON.stringify({ ...about, choices })}\n\n`);
    }
    const choices = [{ index: 0, delta: {}, finish_reason: 'stop' }];
    response.end(`data: ${JSON.stringify({ ...about, choices })}\n\ndata: [DONE]\n\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function servePlainProxy(upstream: string): Promise<string> {
  const app = fastify();
  await app.register(httpProxy, { upstream });
  return app.listen({ host: '127.0.0.1', port: 0 });
}

async function serveGateway(upstream: string, directory: string): Promise<string> {
  const epochKey = new Uint8Array(32).fill(1);
  const tokens = Array.from({ length: biases }, (_, id) => ({ id, expected: 0.001 }));
  const marking = createTextMarking({
    profile: parseTextProfile(
      {
        schema: 'touchmark/text-profile@1',
        scheme: { name: 'biased-list', bias: 1, tokens },
        prf: { name: 'native', contextWidth: 0 },
        repeats: 'mark',
        tokenizer: { name: 'bench', vocabularySize: 50_000 },
      },
      'the bench',
    ),
    modelVersion: '1',
    keys: {
      currentEpoch: () => ({ epoch: 'e', commitment: '00'.repeat(32) }),
      epochKey: () => epochKey,
    },
    log: await openServingLog(directory),
    clock: () => new Date(),
  });
  const gateway = createGateway({
    service: { ready: async () => true },
    fronts: [
      openAiProxy({
        upstream: new UpstreamConnection(new URL(upstream)),
        basePath: '/v1',
        marking,
        mode: { how: 'logit-bias', limit: biases },
      }),
    ],
    authenticator: () => 'bench',
  });
  return gateway.listen({ host: '127.0.0.1', port: 0 });
}

const [, , role, upstreamOf = '', directoryOf = ''] = process.argv;
const serving: Readonly<Record<string, () => Promise<string>>> = {
  upstream: serveUpstream,
  plain: () => servePlainProxy(upstreamOf),
  gateway: () => serveGateway(upstreamOf, directoryOf),
};
if (process.send && role !== undefined && role in serving) {
  process.send(await serving[role]!());
}
