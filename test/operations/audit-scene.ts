import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import type { AuditOptions } from '../../src/operations/audit.ts';
import { initProject } from '../../src/operations/init.ts';
import { startService } from '../../src/operations/serve.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { openKeyRing } from '../../src/store/key-ring.ts';
import { softmax } from '../../src/watermark/probability/distribution.ts';
import { hashNgrams } from '../../src/watermark/probability/features.ts';

export const labels = ['ash', 'birch', 'cedar', 'elm', 'fir', 'oak'];
export type Predict = (text: string) => ArrayLike<number>;

/** Sentences of made-up words; the same seed gives the same ones. */
export function sentences(count: number, seed: string): string[] {
  const random = seededRandom(seed);
  const pick = (from: string): string => from[random.integer(from.length)]!;
  const word = () => pick('bdfgklmnprst') + pick('aeiou') + pick('lmnrst') + pick('aeiou');
  return Array.from({ length: count }, () =>
    Array.from({ length: 3 + random.integer(3) }, word).join(' '),
  );
}

/** A softmax over hashed n-grams; `drift` makes another model of the same trade. */
export function ngramModel(drift = 0, seed = 'drift'): Predict {
  const ngrams = { dimensions: 512, shortest: 1, longest: 3, seed: 5 };
  const draw = (name: string) => {
    const random = seededRandom(name);
    return Float64Array.from({ length: 512 * labels.length }, () => random.normal());
  };
  const [weights, noise] = [draw('protected'), draw(seed)];
  return (sentence) => {
    const logits = new Float64Array(labels.length);
    const { indices, values } = hashNgrams(sentence, ngrams);
    indices.forEach((index, entry) => {
      for (let k = 0; k < labels.length; k += 1) {
        const at = index * labels.length + k;
        logits[k]! += 2.5 * values[entry]! * (weights[at]! + drift * noise[at]!);
      }
    });
    return softmax(logits);
  };
}

/** Repeats what it was served, and what it was served for the sentence with most words in common. */
export function lookUpThief(served: ReadonlyMap<string, readonly number[]>): Predict {
  const known = [...served].map(([sentence, row]) => ({
    words: new Set(sentence.split(' ')),
    row,
  }));
  return (sentence) => {
    const words = sentence.split(' ');
    const common = (each: { readonly words: ReadonlySet<string> }) =>
      words.filter((word) => each.words.has(word)).length;
    const nearest = () =>
      known.reduce((best, each) => (common(each) > common(best) ? each : best)).row;
    return served.get(sentence) ?? nearest();
  };
}

export interface TestSuspect {
  readonly http: string;
  readonly kserve: string;
  /** Every text of every request, in order of arrival. */
  readonly asked: string[];
  /** Bearer tokens that came. */
  readonly bearers: Set<string | undefined>;
  predict: Predict;
  labelsOnly: boolean;
  milliseconds: number;
  close(): void;
}

/** A classifier behind real HTTP, on the plain JSON route and as an Open Inference model. */
export async function serve(predict: Predict): Promise<TestSuspect> {
  const answer = (texts: readonly string[]) => {
    const rows = texts.map((each) => Array.from(suspect.predict(each)));
    const names = rows.map((row) => labels[row.indexOf(Math.max(...row))]);
    return { rows, names };
  };
  const kserve = (texts: readonly string[]): object => {
    const { rows, names } = answer(texts);
    const label = { name: 'label', datatype: 'BYTES', shape: [texts.length], data: names };
    const shape = [texts.length, labels.length];
    const probabilities = { name: 'probabilities', datatype: 'FP32', shape, data: rows.flat() };
    return { outputs: suspect.labelsOnly ? [label] : [probabilities, label] };
  };
  const metadata = () => ({
    name: 'm',
    inputs: [{ name: 'text', datatype: 'BYTES', shape: [-1] }],
    outputs: (suspect.labelsOnly ? ['label'] : ['probabilities', 'label']).map((name) => ({
      name,
    })),
    parameters: { labels },
  });
  const plain = (texts: readonly string[]): object => {
    const { rows, names } = answer(texts);
    return suspect.labelsOnly ? { answers: names } : { labels, probabilities: rows };
  };
  const server = createServer(async (request, response) => {
    const body = await text(request);
    suspect.bearers.add(request.headers.authorization);
    const texts: string[] = body === '' ? [] : textsOf(JSON.parse(body));
    suspect.asked.push(...texts);
    if (texts.length > 0) await setTimeout(suspect.milliseconds);
    const reply = request.url?.split('?')[0] === '/classify' ? plain(texts) : undefined;
    const model = request.url?.endsWith('/infer') ? kserve(texts) : metadata();
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(reply ?? model));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const suspect: TestSuspect = {
    http: `http:${address}/classify`,
    kserve: `kserve:${address}/v2/models/m`,
    asked: [],
    bearers: new Set(),
    predict,
    labelsOnly: false,
    milliseconds: 0,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return suspect;
}

function textsOf(document: { readonly inputs: readonly (string | { data: string[] })[] }) {
  return document.inputs.flatMap((each) => (typeof each === 'string' ? each : each.data));
}

export interface Scene {
  readonly directory: string;
  readonly configPath: string;
  readonly questions: readonly string[];
  /** What the tenant was served: rows by question. */
  readonly served: ReadonlyMap<string, readonly number[]>;
  /** Texts that must never be written down or said: keys in every encoding that is in use. */
  readonly secrets: readonly string[];
  /** Asks the gateway, started again, some more. */
  ask(questions: readonly string[]): Promise<void>;
  /** A path for a run directory that does not exist yet. */
  out(name: string): string;
  options(suspect: string, name: string): AuditOptions;
  close(): void;
}

/**
 * A project as `init` makes it, and a tenant whose questions a real gateway has answered.
 *
 * @param settings changes to sections of the configuration
 */
export async function createScene(
  asked = 500,
  settings: Readonly<Record<string, object>> = {},
): Promise<Scene> {
  const home = mkdtempSync(join(tmpdir(), 'touchmark-audit-'));
  const directory = join(home, 'project');
  const upstream = await serve(ngramModel());
  await initProject({ directory, environment: {} });
  const configPath = join(directory, 'touchmark.yaml');
  const config = parse(readFileSync(configPath, 'utf8'));
  config.model.upstream = upstream.http;
  Object.assign(config.watermark, { totalVariation: 0.04, coinShare: 0.12 });
  Object.assign(config.audit, { freshProbes: 160, batchSize: 16 });
  for (const [section, changes] of Object.entries(settings)) {
    Object.assign(config[section], changes);
  }
  writeFileSync(configPath, stringify(config));
  writeFileSync(join(directory, 'inputs/twin.txt'), sentences(400, 'twin').join('\n'));
  writeFileSync(join(directory, 'inputs/fresh.txt'), sentences(200, 'fresh').join('\n'));
  const apiKey = readFileSync(join(directory, '.touchmark/api-keys/example.key'), 'utf8').trim();
  const questions = sentences(asked, 'questions');
  const served = await campaign(configPath, apiKey, questions);
  return {
    directory,
    configPath,
    questions,
    served,
    secrets: [apiKey, ...(await keysOf(directory))],
    ask: async (more) => void (await campaign(configPath, apiKey, more)),
    out: (name) => join(home, 'audits', name),
    options: (suspect, name) => ({
      configPath,
      suspect,
      tenant: 'example',
      out: join(home, 'audits', name),
      resume: false,
      signal: new AbortController().signal,
    }),
    close: () => {
      upstream.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function campaign(configPath: string, apiKey: string, questions: readonly string[]) {
  const service = await startService({
    configPath,
    environment: {},
    flags: [{ path: ['serve', 'port'], value: 0, from: '--port' }],
    signal: new AbortController().signal,
    progress: () => undefined,
    onNotice: () => undefined,
    onFailure: () => undefined,
  });
  const served = new Map<string, readonly number[]>();
  for (let start = 0; start < questions.length; start += 50) {
    const inputs = questions.slice(start, start + 50);
    const response = await fetch(`${service.address}/classify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
      body: JSON.stringify({ inputs }),
    });
    const { probabilities } = JSON.parse(await response.text());
    inputs.forEach((each, index) => {
      served.set(each, probabilities[index]);
    });
  }
  await service.stop();
  return served;
}

async function keysOf(directory: string): Promise<string[]> {
  const path = join(directory, '.touchmark/keys/ring.json');
  const { root } = JSON.parse(readFileSync(path, 'utf8'));
  const epochKey = (await openKeyRing({ source: `file:${path}` })).epochKey('example', 'e1');
  return [Buffer.from(root.secret, 'base64'), epochKey].flatMap((key) => [
    key.toString('base64').replace(/=+$/, ''),
    key.toString('base64url'),
    key.toString('hex'),
  ]);
}

/** The name and text of every file under a directory. */
export function filesIn(directory: string): { readonly name: string; readonly text: string }[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => ({ name, text: readFileSync(join(parentPath, name), 'utf8') }));
}

/** The secrets that some text holds. */
export function leaks(secrets: readonly string[], texts: readonly string[]): string[] {
  return secrets.filter((secret) => texts.some((each) => each.includes(secret)));
}

/** Questions that an audit asks a second time at its end, to see whether answers stay the same. */
export const repeats = 8;

/** Probes whose answer a run directory holds, those of second askings aside. */
export function recorded(out: string): string[] {
  const lines = readFileSync(join(out, 'answers.jsonl'), 'utf8').split('\n').slice(0, -1);
  const ids = lines.map((line): string => JSON.parse(line).payload.id);
  return ids.filter((id) => !id.startsWith('repeat/'));
}

/** Resolves once a condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setTimeout(5);
}
