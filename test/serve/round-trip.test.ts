import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openClassifier } from '../../src/models/adapters/registry.ts';
import type { RemoteOptions } from '../../src/models/adapters/remote.ts';
import {
  bearer,
  keywordAnswering,
  keywordLabels,
  keywordProbabilities,
  type RunningGateway,
  startGateway,
} from './keyword-answering.ts';

let running: RunningGateway;
let tensors: RunningGateway;
beforeAll(async () => {
  running = await startGateway(keywordAnswering());
  tensors = await startGateway(keywordAnswering({ tensor: [2, 2] }));
});
afterAll(async () => {
  await running.gateway.close();
  await tensors.gateway.close();
});

const signal = new AbortController().signal;
const ways = (address: string) => [`kserve:${address}/v2/models/words`, `http:${address}/classify`];
const open = (specification: string, options: Partial<RemoteOptions> = {}) =>
  openClassifier(specification, { labels: keywordLabels, bearer, ...options });

describe.each([0, 1])('the gateway through adapter %d', (way) => {
  test('gives to the last bit what the model behind it gave', async () => {
    const classifier = open(ways(running.address)[way]!, { batchSize: 7 });
    const texts = Array.from({ length: 20 }, (_, index) => `the og ${'und '.repeat(index)}`);
    const outcomes = await classifier.classify(texts, { signal });
    expect(outcomes).toEqual(
      texts.map((text) => {
        const probabilities = keywordProbabilities(text);
        const label = keywordLabels[probabilities.indexOf(Math.max(...probabilities))];
        return { answer: { label, probabilities } };
      }),
    );
    expect(classifier.counts()).toMatchObject({ retries: 0, outside: { answers: 0, mass: 0 } });
    await classifier.close();
  });

  test('describes itself, maps labels and gives labels only on request', async () => {
    const classifier = open(ways(running.address)[way]!, {
      labels: ['deu', 'nob', 'eng'],
      labelsOnly: true,
    });
    expect(await classifier.describe({ signal })).toMatchObject({ gives: ['labels'] });
    expect(await classifier.classify(['the', 'ikke'], { signal })).toEqual([
      { answer: { label: 'eng' } },
      { answer: { label: 'nob' } },
    ]);
    await classifier.close();
  });

  test('carries tensors', async () => {
    const classifier = open(ways(tensors.address)[way]!, { labels: ['lower', 'upper'] });
    const rows = [
      [1, 1, 0, 0],
      [0, 0, 3, 0],
    ];
    const inputs = rows.map((row) => ({ shape: [2, 2], data: Float32Array.from(row) }));
    expect(await classifier.classify(inputs, { signal })).toMatchObject([
      { answer: { label: 'upper' } },
      {
        answer: {
          label: 'lower',
          probabilities: [1 - 1 / (1 + Math.exp(3)), 1 / (1 + Math.exp(3))],
        },
      },
    ]);
    await classifier.close();
  });

  test('refuses a wrong token', async () => {
    const classifier = open(ways(running.address)[way]!, { bearer: 'wrong-token-of-mallory' });
    await expect(classifier.classify(['the'], { signal })).rejects.toMatchObject({
      code: 'SUSPECT_REFUSED',
      message: expect.stringContaining('status 401: {"error":"unknown tenant'),
    });
    await classifier.close();
  });
});
