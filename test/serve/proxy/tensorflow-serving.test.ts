import { describe, expect, it } from 'vitest';
import { tensorFlowServingProxy } from '../../../src/serve/proxy/tensorflow-serving.ts';
import { servingFloor, toDistribution } from '../../../src/watermark/probability/distribution.ts';
import { startMarkedGateway } from '../marked-gateway.ts';
import { letterProbabilities, startModelServer } from '../model-server.ts';

const path = '/v1/models/letters';
const gatewayBefore = (url: URL) =>
  startMarkedGateway(url, (parts) => tensorFlowServingProxy({ ...parts, path }));
const texts = ['abba', 'dad', 'a cab', 'cccc', 'abcd'];

/** A server that gives what `row` makes of each text's probabilities. */
const serverOf = (row: (probabilities: number[]) => unknown) =>
  startModelServer(({ body }) => {
    const { instances } = JSON.parse(body);
    return {
      predictions: instances.map((each: string | { text: string }) =>
        row(letterProbabilities(typeof each === 'string' ? each : each.text)),
      ),
    };
  });

describe('a proxy before TensorFlow Serving', () => {
  it('marks rows of probabilities and records them', async () => {
    const { url, asked } = await serverOf((row) => row);
    const { post, records, markerOf } = await gatewayBefore(url);
    const { status, body } = await post(`${path}:predict`, { instances: texts });
    const marker = markerOf('acme');
    const served = texts.map((text) => [
      ...marker.mark(text, toDistribution(letterProbabilities(text), servingFloor)).served,
    ]);
    expect([status, body]).toEqual([200, { predictions: served }]);
    expect((await records()).map(({ input }) => input)).toEqual(texts);
    expect(asked[0]).toMatchObject({ url: `${path}:predict`, method: 'POST' });
  });

  it('makes labels of any form follow the probabilities, and leaves other outputs out', async () => {
    const best = (row: number[]) => row.indexOf(Math.max(...row));
    const { url } = await serverOf((row) => ({
      scores: row,
      logits: row.map(Math.log),
      label: 'abcd'[best(row)],
      class_ids: [best(row)],
      classes: [...'abcd'],
    }));
    const { post, records } = await gatewayBefore(url);
    const instances = texts.map((text) => ({ text }));
    const { body } = await post(`${path}:predict`, { instances });
    const logged = await records();
    expect(logged.some(({ marks }) => marks.coin !== undefined)).toBe(true);
    expect(body.predictions).toEqual(
      logged.map(({ served, label }) => ({
        scores: served,
        label: 'abcd'[label],
        class_ids: [label],
        classes: [...'abcd'],
      })),
    );
  });

  it('marks the scores of :classify', async () => {
    const { url } = await startModelServer(({ body }) => ({
      results: JSON.parse(body).examples.map(({ text }: { text: string }) =>
        letterProbabilities(text)
          .map((score, label) => ['abcd'[label], score])
          .reverse(),
      ),
    }));
    const { post, records } = await gatewayBefore(url);
    const { body } = await post(`${path}:classify`, { examples: [{ text: 'abba' }] });
    const [record] = await records();
    const { served } = record!;
    expect(body).toEqual({
      results: [
        [
          ['d', served[3]],
          ['c', served[2]],
          ['b', served[1]],
          ['a', served[0]],
        ],
      ],
    });
  });

  it.each([
    [{ instances: 'abba' }, 'instances: must be an array; write the request in row format'],
    [{ inputs: ['abba'] }, 'instances: must be an array; write the request in row format'],
    [
      { instances: [{ b64: 'YQ==' }] },
      'an instance has other than one input; this model takes one, as text or numbers',
    ],
    [
      { instances: [{ a: 'x', b: 'y' }] },
      'an instance has other than one input; this model takes one, as text or numbers',
    ],
    [{ instances: [[1, 2]] }, 'inputs[0] is an array of 2; this model takes texts'],
    [{ instances: [] }, 'the batch is empty; send at least one input'],
  ])('refuses %j', async (request, error) => {
    const { url, asked } = await serverOf((row) => row);
    const { post } = await gatewayBefore(url);
    const reply = await post(`${path}:predict`, request);
    expect([reply.status, reply.body.error]).toEqual([400, error]);
    expect(asked).toEqual([]);
  });

  it.each([
    ['a row too few', { predictions: [] }],
    ['labels only', { predictions: ['a'] }],
    ['two lists of numbers', { predictions: [{ x: [1, 0, 0, 0], y: [1, 0, 0, 0] }] }],
    ['another number of classes', { predictions: [[0.5, 0.5]] }],
  ])('says 502 to %s', async (_, answer) => {
    const { url } = await startModelServer(() => answer);
    const { post } = await gatewayBefore(url);
    expect((await post(`${path}:predict`, { instances: ['abba'] })).status).toBe(502);
  });

  it('passes on status and metadata, and nothing else', async () => {
    const { url } = await startModelServer(({ url: where }) => ({ where }));
    const { address } = await gatewayBefore(url);
    const headers = { authorization: 'Bearer token-of-acme' };
    const get = async (way: string) => (await fetch(address + way, { headers })).status;
    expect(await get(path)).toBe(200);
    expect(await get(`${path}/metadata`)).toBe(200);
    expect(await get(`${path}:regress`)).toBe(404);
    expect(await get('/v1/models/other')).toBe(404);
  });
});
