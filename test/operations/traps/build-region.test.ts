import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { configSchema } from '../../../src/config/schema.ts';
import type { Input } from '../../../src/contracts.ts';
import { inputDigest } from '../../../src/keys/canonical-input.ts';
import { regionTraps } from '../../../src/operations/traps/build-region.ts';
import type { TrapRequest } from '../../../src/operations/traps/source.ts';
import { foldStock } from '../../../src/traps/stock.ts';
import { decodeInput, trapCount } from '../../../src/traps/trap-set.ts';
import { examples, labels, quirky } from '../../audit/trap-search/scene.ts';
import { temporaryDirectory } from '../../store/directory.ts';
import { keyRingOf, noon } from './scene.ts';

type Inputs = Partial<Record<'traps' | 'twin' | 'fresh' | 'sameData' | 'otherData', string>>;

function requestIn(
  directory: string,
  upstream = 'http:http://127.0.0.1:9/classify',
  inputs: Inputs = {},
): TrapRequest {
  const at = (name: string) => join(directory, name);
  const config = configSchema.parse({
    schema: 'touchmark/config@1',
    model: { name: 'quirky', upstream, labels: [...labels], input: { tensor: [8] } },
    inputs: {
      traps: at('traps.jsonl'),
      twin: at('twin.jsonl'),
      fresh: at('fresh.jsonl'),
      ...inputs,
    },
    log: { directory: at('log') },
    traps: { regionLotSize: 10 },
  });
  return {
    project: {
      ...{ path: at('touchmark.yaml'), directory, config, overrides: [], environment: {} },
      profilePath: at('profile.json'),
      textProfilePath: join(directory, '.touchmark', 'text-profile.json'),
    },
    keyRing: keyRingOf(),
    target: { kind: 'region', tenant: null, epoch: null },
    wanted: 20,
    stock: foldStock([], []),
    now: noon,
    signal: new AbortController().signal,
    progress: () => undefined,
  };
}

function encode(input: Input): string {
  return typeof input === 'string'
    ? JSON.stringify(input)
    : JSON.stringify({ shape: input.shape, data: [...input.data] });
}

function writeInputs(path: string, inputs: readonly Input[]): void {
  writeFileSync(path, inputs.map(encode).join('\n'));
}

function writeExamples(path: string, count: number, seed: string): void {
  const lines = examples(count, seed).map(
    ({ input, label }) => `{"input":${encode(input)},"label":"${label}"}`,
  );
  writeFileSync(path, lines.join('\n'));
}

/** The questions, by digest, whose answers a stopped build had put on record. */
function recordedDigests(directory: string): Set<string> {
  const [build] = readdirSync(directory);
  const lines = readFileSync(join(directory, build!, 'answers.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return new Set(lines.map((line) => String(JSON.parse(line).id).split('/').at(-1)!));
}

/** The quirky model behind an address; `onRequest` sees how many questions came so far. */
async function serveQuirky(onRequest: (asked: number) => void): Promise<{
  readonly upstream: string;
  readonly asked: Input[];
}> {
  const asked: Input[] = [];
  const server = createServer(async (request, response) => {
    const { inputs } = JSON.parse(await text(request));
    const decoded: Input[] = inputs.map((each: Parameters<typeof decodeInput>[0] | number[]) =>
      Array.isArray(each) ? { shape: [8], data: Float32Array.from(each) } : decodeInput(each),
    );
    asked.push(...decoded);
    onRequest(asked.length);
    const probabilities = decoded.map((input) =>
      labels.map((label) => (label === quirky(input) ? 0.8 : 0.1)),
    );
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ labels, probabilities }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    upstream: `http:http://127.0.0.1:${(server.address() as AddressInfo).port}/classify`,
    asked,
  };
}

describe('regionTraps', () => {
  it('says what the owner has not provided yet, and asks nobody', async () => {
    const directory = temporaryDirectory();
    const at = (name: string) => join(directory, name);
    const why = async (inputs: Inputs = {}) => {
      const built = await regionTraps.build(requestIn(directory, undefined, inputs));
      expect(built.sets).toEqual([]);
      return built.why;
    };
    expect(await why()).toMatch(/^There are no questions in .*traps\.jsonl to choose traps from\./);
    writeInputs(
      at('traps.jsonl'),
      examples(50, 'pool').map(({ input }) => input),
    );
    expect(await why()).toMatch(/learn from at least 200 questions; .*twin\.jsonl has 0\./);
    writeInputs(
      at('twin.jsonl'),
      examples(250, 'twin').map(({ input }) => input),
    );
    expect(await why()).toMatch(/^inputs\.sameData is not set\. Reference models learn from/);
    const sameData = at('same.jsonl');
    expect(await why({ sameData })).toMatch(/^inputs\.sameData names .*, which does not exist\./);
    writeExamples(sameData, 30, 'same');
    expect(await why({ sameData })).toMatch(/has 30 examples of 3 labels\. Reference models need/);
    writeExamples(sameData, 300, 'same');
    expect(await why({ sameData })).toMatch(/^inputs\.otherData is not set\./);
    const otherData = at('other.jsonl');
    writeExamples(otherData, 300, 'other');
    writeInputs(
      at('fresh.jsonl'),
      examples(50, 'pool').map(({ input }) => input),
    );
    expect(await why({ sameData, otherData })).toMatch(
      /is in another file of inputs\. Add new ones\.$/,
    );
  });

  it('goes on after an interruption without asking again, and never uses a question twice', async () => {
    const directory = temporaryDirectory();
    const at = (name: string) => join(directory, name);
    const inputs = { sameData: at('same.jsonl'), otherData: at('other.jsonl') };
    writeInputs(
      at('traps.jsonl'),
      examples(1200, 'pool').map(({ input }) => input),
    );
    writeInputs(
      at('twin.jsonl'),
      examples(400, 'twin').map(({ input }) => input),
    );
    writeExamples(inputs.sameData, 150, 'same');
    writeExamples(inputs.otherData, 150, 'other');
    const abort = new AbortController();
    const { upstream, asked } = await serveQuirky((count) => {
      if (count > 1000) abort.abort();
    });
    const request = requestIn(directory, upstream, inputs);
    const stopped = regionTraps.build({ ...request, signal: abort.signal });
    await expect(stopped).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const references = at('.touchmark/traps/references');
    const trained = readdirSync(references).length;
    expect(trained).toBeGreaterThan(100);
    const recorded = recordedDigests(at('.touchmark/traps/region-answers'));
    expect(recorded.size).toBeGreaterThan(500);
    asked.length = 0;

    const first = await regionTraps.build(request);
    expect(first.why).toBeUndefined();
    expect(first.sets.map(trapCount)).toEqual([20]);
    expect(readdirSync(references)).toHaveLength(trained);
    const again = asked.filter((input) => recorded.has(inputDigest(input).toString('hex')));
    expect(again).toEqual([]);
    expect(asked.length).toBeGreaterThan(100);

    const second = await regionTraps.build(request);
    const questions = [first, second].map(({ sets }) =>
      sets.flatMap((set) =>
        set.kind === 'region'
          ? set.lots.flatMap(({ traps }) => traps.map(({ input }) => input))
          : [],
      ),
    );
    expect(questions[1]!.length).toBeGreaterThan(0);
    const texts = questions.flat().map((input) => JSON.stringify(input));
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('throws what the upstream does', async () => {
    const directory = temporaryDirectory();
    const at = (name: string) => join(directory, name);
    const inputs = { sameData: at('same.jsonl'), otherData: at('other.jsonl') };
    writeInputs(
      at('traps.jsonl'),
      examples(20, 'pool').map(({ input }) => input),
    );
    writeInputs(
      at('twin.jsonl'),
      examples(200, 'twin').map(({ input }) => input),
    );
    writeExamples(inputs.sameData, 100, 'same');
    writeExamples(inputs.otherData, 100, 'other');
    const request = requestIn(directory, 'http:http://127.0.0.1:1/classify', inputs);
    await expect(regionTraps.build(request)).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' });
  });
});
