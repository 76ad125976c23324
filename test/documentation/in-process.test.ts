import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initProject } from '../../src/operations/init.ts';
import { exportLog, verifyLog } from '../../src/operations/log.ts';
import {
  nodeLlamaCppEntry,
  noNodeLlamaCpp,
  smolLm2,
} from '../serve/in-process/cached-node-llama-cpp.ts';
import { writeCausalModel } from '../serve/tiny-causal-model.ts';
import { SnippetProject, snippetsOf } from './snippets.ts';

const snippets = snippetsOf('docs/in-process.md');
const llamaSnippet = 'node-llama-cpp.ts';

/** What a reader has: a classifier, a language model, and their packages. */
const model = `
import { MockLanguageModelV3, simulateReadableStream } from 'ai/test';

export const labels = ['vowels', 'consonants'];
export async function classify(texts: readonly string[]): Promise<number[][]> {
  return texts.map((text) => {
    const share = (1 + (text.match(/[aeiou]/g) ?? []).length) / (2 + text.length);
    return [share, 1 - share];
  });
}

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 2, text: 2, reasoning: 0 },
};
const end = { finishReason: { unified: 'stop' as const, raw: undefined }, usage };
export const languageModel = new MockLanguageModelV3({
  doGenerate: { content: [{ type: 'text', text: 'a cat' }], ...end, warnings: [] },
  doStream: {
    stream: simulateReadableStream({
      chunks: [
        { type: 'text-start', id: '1' },
        { type: 'text-delta', id: '1', delta: 'a ' },
        { type: 'text-delta', id: '1', delta: 'dog' },
        { type: 'text-end', id: '1' },
        { type: 'finish', ...end },
      ],
    }),
  },
});
`;

/** Asks every program but one, in a process with one touchmark. */
const driver = `
import { createServer } from 'node:net';
import { languageModel } from './model.ts';
import { touchmark } from './touchmark.ts';

async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return String(typeof address === 'object' && address?.port);
}

const key = process.env['API_KEY'] ?? '';
const headers = (bearer: string) => ({
  'content-type': 'application/json',
  authorization: 'Bearer ' + bearer,
});
async function ask(path: string, question: object, send: typeof fetch = fetch) {
  const [served, stranger] = await Promise.all(
    [key, 'nobody'].map((bearer) =>
      send(path, { method: 'POST', headers: headers(bearer), body: JSON.stringify(question) }),
    ),
  );
  return { answer: await served!.json(), stranger: stranger!.status };
}

const inputs = ['aeiou', 'strength'];
process.env['PORT'] = await freePort();
await import('./fastify.ts');
const fastify = await ask('http://127.0.0.1:' + process.env['PORT'] + '/classify', { inputs });
const { default: app } = await import('./hono.ts');
const hono = await ask('/classify', { inputs }, (async (path: string, init: object) => app.request(path, init)) as never);
process.env['PORT'] = await freePort();
await import('./express.ts');
const express = await ask('http://127.0.0.1:' + process.env['PORT'] + '/moderate', { text: 'aeiou' });
const { answer, stream } = await import('./ai-sdk.ts');
const said = await answer('example', 'What?');
let streamed = '';
for await (const part of stream('example', 'What?')) streamed += part;
const biases = [languageModel.doGenerateCalls, languageModel.doStreamCalls].map(
  ([call]) => Object.keys(call?.providerOptions?.['openai']?.['logitBias'] ?? {}).length,
);
const { complete } = await import('./transformers.ts');
const completed = await complete('example', 'a cat');
await touchmark.close();
console.log(JSON.stringify({ fastify, hono, express, said, streamed, biases, completed }));
process.exit();
`;

/** The package as it is, but for what would compile it, or fill a busy machine. */
const quietLlama = `
import { getLlama as open, type LlamaOptions } from '${nodeLlamaCppEntry}';
export * from '${nodeLlamaCppEntry}';
export const getLlama = (options: LlamaOptions) =>
  open({ ...options, build: 'never', maxThreads: 1 });
`;

const project = new SnippetProject({ 'node-llama-cpp': './quiet-llama.ts' });
const configPath = join(project.directory, 'stamp/touchmark.yaml');
let apiKey: string;

function writeTextProfile(tokenizer: { readonly name: string; readonly vocabularySize: number }) {
  const example = readFileSync('docs/text-profiles/fixed-green-list.json', 'utf8');
  project.write('stamp/text-profile.json', JSON.stringify({ ...JSON.parse(example), tokenizer }));
}

beforeAll(async () => {
  const stamp = join(project.directory, 'stamp');
  await initProject({ directory: stamp, environment: {} });
  const config = readFileSync(configPath, 'utf8');
  writeFileSync(
    configPath,
    config.replace('input: text', 'input: text\n  labels: [vowels, consonants]'),
  );
  apiKey = readFileSync(join(stamp, '.touchmark/api-keys/example.key'), 'utf8').trim();
  mkdirSync(join(project.directory, 'models'));
  writeCausalModel(join(project.directory, 'models/my-model'), 64, 'tiny causal model');
  project.write('model.ts', model);
  project.write('driver.ts', driver);
  if (!noNodeLlamaCpp) project.write('quiet-llama.ts', quietLlama);
  for (const [name, { text }] of snippets) {
    if (name !== llamaSnippet || !noNodeLlamaCpp) project.write(name, text);
  }
});
afterAll(() => project.remove());

describe('the programs of docs/in-process.md', () => {
  it('compile', async () => {
    expect(
      [...snippets.keys()].filter((name) => existsSync(join(project.directory, name))),
    ).toEqual(
      expect.arrayContaining(['touchmark.ts', 'fastify.ts', 'hono.ts', 'express.ts', 'ai-sdk.ts']),
    );
    expect(await project.compile()).toBe('');
  });

  it('serve marked answers that one log has', async () => {
    writeTextProfile({ name: 'tiny', vocabularySize: 64 });
    const output = await project.run('driver.ts', { API_KEY: apiKey });
    const { fastify, hono, express, said, streamed, biases, completed } = JSON.parse(output);
    const clean = [6 / 7, 2 / 10];
    for (const { answer, stranger } of [fastify, hono]) {
      expect(answer.labels).toEqual(['vowels', 'consonants']);
      const rows: number[][] = answer.probabilities;
      for (const [at, [share, rest]] of rows.entries()) {
        expect(share! + rest!).toBeCloseTo(1, 12);
        expect(share).not.toBe(clean[at]);
        expect(share).toBeCloseTo(clean[at]!, 0);
      }
      expect(stranger).toBe(401);
    }
    expect(express).toEqual({
      answer: { label: 'vowels', scores: fastify.answer.probabilities[0] },
      stranger: 401,
    });
    expect([said, streamed]).toEqual(['a cat', 'a dog']);
    expect(biases[0]).toBeGreaterThan(0);
    expect(biases[1]).toBe(biases[0]);

    expect(await verifyLog({ configPath, environment: {} })).toMatchObject({
      valid: true,
      tenants: { example: 8 },
    });
    const out = join(project.directory, 'example.jsonl');
    await exportLog({ configPath, environment: {}, tenant: 'example', out });
    const records = readFileSync(out, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records.map(({ input, texts }) => input ?? texts[0])).toEqual([
      ...['aeiou', 'strength', 'aeiou', 'strength', 'aeiou', 'a cat', 'a dog', completed],
    ]);
    expect(new Set(records.map(({ modelVersion }) => modelVersion))).toEqual(new Set(['2026-11']));
  });

  it.skipIf(noNodeLlamaCpp)(
    `say marked words in node-llama-cpp (${noNodeLlamaCpp ?? 'it is here'})`,
    async () => {
      writeTextProfile({ name: 'smollm2', vocabularySize: 49_152 });
      const asking = `
      const { complete } = await import('./${llamaSnippet}');
      console.log(JSON.stringify(await complete('example', 'Once upon a')));
      process.exit();
    `;
      project.write('asking.ts', asking);
      const output = await project.run('asking.ts', { MODEL_PATH: smolLm2 });
      expect(JSON.parse(output.trim().split('\n').at(-1)!)).toMatch(/\w{3}/);
    },
  );
});
