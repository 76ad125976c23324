import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TouchmarkError } from '../../../src/errors.ts';
import { openInferenceProxy } from '../../../src/serve/proxy/open-inference.ts';
import { servingFloor, toDistribution } from '../../../src/watermark/probability/distribution.ts';
import { authenticatorOf, startMarkedGateway } from '../marked-gateway.ts';
import { type Asked, letterProbabilities, startModelServer } from '../model-server.ts';

const path = '/v2/models/letters';
const question = (...data: readonly unknown[]) => ({
  id: 'mine',
  inputs: [{ name: 'text', datatype: 'BYTES', shape: [data.length], data }],
});

/** What a server of letters answers, with an output that tells everything. */
function letters({ body }: Asked) {
  const { id, inputs } = JSON.parse(body);
  const rows: number[][] = inputs[0].data.map(letterProbabilities);
  const best = rows.map((row) => row.indexOf(Math.max(...row)));
  const shape = [rows.length];
  return {
    model_name: 'letters',
    model_version: '8',
    id,
    outputs: [
      {
        name: 'logits',
        datatype: 'FP32',
        shape: [rows.length, 4],
        data: rows.flat().map(Math.log),
      },
      { name: 'probabilities', datatype: 'FP32', shape: [rows.length, 4], data: rows.flat() },
      { name: 'label', datatype: 'BYTES', shape, data: best.map((each) => 'abcd'[each]) },
    ],
  };
}

const gatewayBefore = (url: URL, settings: Parameters<typeof startMarkedGateway>[2] = {}) =>
  startMarkedGateway(url, (parts) => openInferenceProxy({ ...parts, path }), settings);

const texts = ['abba', 'dad', 'a cab', 'feed', 'cccc', 'bad cab', 'abcd', 'dcba'];

describe('a proxy before an Open Inference server', () => {
  it('marks probabilities and labels in flight, and leaves out what would tell them unmarked', async () => {
    const { url, asked } = await startModelServer(letters);
    const { post, records, markerOf } = await gatewayBefore(url);
    const reply = await post(`${path}/infer`, question(...texts));
    const marker = markerOf('acme');
    const expected = texts.map((text) => {
      const clean = toDistribution(letterProbabilities(text), servingFloor);
      return { text, clean, ...marker.mark(text, clean) };
    });
    expect(reply).toMatchObject({
      status: 200,
      body: {
        model_name: 'letters',
        model_version: '8',
        id: 'mine',
        outputs: [
          {
            name: 'probabilities',
            shape: [8, 4],
            data: expected.flatMap(({ served }) => [...served]),
          },
          { name: 'label', shape: [8], data: expected.map(({ label }) => 'abcd'[label]) },
        ],
      },
    });
    expect(reply.body.outputs).toHaveLength(2);
    expect(await records()).toMatchObject(
      expected.map(({ text, clean, served, label, marks }) => ({
        input: text,
        clean: [...clean],
        served: [...served],
        label,
        marks,
        modelVersion: '8',
      })),
    );
    expect(asked).toHaveLength(1);
  });

  it('sends nothing of the client upstream but the question, and the bearer of the owner', async () => {
    const { url, asked } = await startModelServer(letters);
    const { post } = await gatewayBefore(url);
    await post(`${path}/infer?secret=1`, question('abba'));
    expect(Object.keys(asked[0]!.headers).sort()).toEqual(
      [
        'accept-encoding',
        'authorization',
        'connection',
        'content-length',
        'content-type',
        'host',
      ].sort(),
    );
    expect(asked[0]).toMatchObject({
      url: `${path}/infer`,
      headers: { authorization: 'Bearer secret-of-the-owner' },
    });
  });

  it('asks what it logs, whatever a body says twice', async () => {
    const { url, asked } = await startModelServer(letters);
    const { post, records } = await gatewayBefore(url);
    const [first, second] = [question('first'), question('second')].map(({ inputs }) =>
      JSON.stringify(inputs),
    );
    await post(`${path}/infer`, `{"inputs": ${first}, "inputs": ${second}}`);
    expect(JSON.parse(asked[0]!.body)).toEqual({ inputs: question('second').inputs });
    expect(asked[0]!.body).not.toContain('first');
    expect((await records()).map(({ input }) => input)).toEqual(['second']);
  });

  it('asks for probabilities also when the client wants labels only, and gives labels only', async () => {
    const { url, asked } = await startModelServer(letters);
    const { post, records } = await gatewayBefore(url);
    const { body } = await post(`${path}/infer`, {
      ...question('abba'),
      outputs: [{ name: 'label' }],
    });
    expect(JSON.parse(asked[0]!.body).outputs).toEqual([
      { name: 'label' },
      { name: 'probabilities' },
    ]);
    const [record] = await records();
    expect(body.outputs).toEqual([
      { name: 'label', datatype: 'BYTES', shape: [1], data: ['abcd'[record!.label]] },
    ]);
  });

  it('gives two tenants marks of their own', async () => {
    const { url } = await startModelServer(letters);
    const { post } = await gatewayBefore(url);
    const [acme, bolt] = [
      await post(`${path}/infer`, question('abacus'), 'acme'),
      await post(`${path}/infer`, question('abacus'), 'bolt'),
    ];
    expect(acme.body.outputs[0].data).not.toEqual(bolt.body.outputs[0].data);
  });

  it('leaves answers unmarked under a prefix, for those who may ask there, and records them', async () => {
    const { url } = await startModelServer(letters);
    const { post, records } = await gatewayBefore(url, {
      gateway: { unmarked: [{ prefix: '/safety', tenants: ['acme'] }] },
    });
    const reply = await post(`/safety${path}/infer`, question('abba'));
    const clean = toDistribution(letterProbabilities('abba'), servingFloor);
    expect(reply.body.outputs[0].data).toEqual([...clean]);
    expect(await records()).toMatchObject([{ input: 'abba', marks: { probability: false } }]);
    expect((await post(`/safety${path}/infer`, question('abba'), 'bolt')).status).toBe(404);
  });

  it('passes on what the model says of itself', async () => {
    const { url } = await startModelServer(({ url: where }) => ({ name: 'letters', where }));
    const { address } = await gatewayBefore(url);
    for (const known of [path, `${path}/ready`, '/v2']) {
      const response = await fetch(address + known, {
        headers: { authorization: 'Bearer token-of-acme' },
      });
      expect(await response.json()).toEqual({ name: 'letters', where: known });
    }
    expect((await fetch(address + path)).status).toBe(401);
  });

  it.each([
    ['/v2/models/other/infer'],
    ['/v2/models/letters/../letters/infer/..'],
    ['/v2/models/letters%2Finfer'],
    ['/v2/repository/index'],
    ['//v2/models/letters/infer'],
  ])('does not pass on %s', async (way) => {
    const { url, asked } = await startModelServer(letters);
    const { post } = await gatewayBefore(url);
    expect((await post(way, question('abba'))).status).toBe(404);
    expect(asked).toEqual([]);
  });
});

describe('an upstream that fails', () => {
  const down = 'the model behind this gateway does not answer now; try again later';
  const wrong = 'the model behind this gateway gave an unusable answer';

  it.each([
    [
      'status 500',
      503,
      down,
      (_: Asked, response: { statusCode: number }) => {
        response.statusCode = 500;
        return { error: 'stack trace at 10.0.0.1' };
      },
    ],
    ['no JSON', 502, wrong, () => '<html>'],
    ['another protocol', 502, wrong, () => ({ labels: ['a'] })],
    [
      'too few rows',
      502,
      wrong,
      () => ({ outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [0, 4], data: [] }] }),
    ],
    [
      'texts for numbers',
      502,
      wrong,
      () => ({
        outputs: [
          { name: 'probabilities', datatype: 'FP32', shape: [1, 4], data: ['1', '0', '0', '0'] },
        ],
      }),
    ],
    [
      'no distribution',
      502,
      wrong,
      () => ({
        outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [1, 4], data: [9, 0, 0, 0] }],
      }),
    ],
    ['an endless answer', 502, wrong, () => `"${'x'.repeat(200_000)}"`],
  ] as const)('with %s', async (_, status, error, answer) => {
    const { url } = await startModelServer(answer as Parameters<typeof startModelServer>[0]);
    const { post, records, failures } = await gatewayBefore(url, { answerLimitBytes: 100_000 });
    const reply = await post(`${path}/infer`, question('abba'));
    expect([reply.status, reply.body]).toEqual([status, { error }]);
    expect(failures).toHaveLength(1);
    await expect(records()).rejects.toMatchObject({ code: 'TENANT_UNKNOWN' });
  });

  it('with silence, within its time', async () => {
    const { url } = await startModelServer(() => undefined);
    const { post } = await gatewayBefore(url, { timeoutMilliseconds: 100 });
    const reply = await post(`${path}/infer`, question('abba'));
    expect([reply.status, reply.body.error]).toEqual([503, down]);
  });

  it('by closing the connection that it kept, which is asked again once', async () => {
    let first = true;
    const { url, asked } = await startModelServer((one, response) => {
      if (!first) return letters(one);
      first = false;
      response.socket?.destroy();
      return undefined;
    });
    const { post } = await gatewayBefore(url);
    expect((await post(`${path}/infer`, question('abba'))).status).toBe(200);
    expect(asked).toHaveLength(2);
  });

  it('by not being there', async () => {
    const { post } = await gatewayBefore(new URL('http://127.0.0.1:9'));
    expect((await post(`${path}/infer`, question('abba'))).status).toBe(503);
  });

  it("with the client's own fault, which the client is told", async () => {
    const { url } = await startModelServer((_, response) => {
      response.statusCode = 400;
      return { error: 'the text is too long' };
    });
    const { post, failures } = await gatewayBefore(url);
    const reply = await post(`${path}/infer`, question('abba'));
    expect([reply.status, reply.body.error]).toEqual([
      400,
      'the model refused the request: the text is too long',
    ]);
    expect(failures).toEqual([]);
  });
});

describe('the failure policy', () => {
  const full = new TouchmarkError('STORE_FULL', 'no room');
  const closed = { ifMarkingFails: 'fail-closed', ifLogFails: 'fail-closed' } as const;

  it.each([
    ['fail-closed', 503],
    ['fail-open', 200],
  ] as const)('%s when the log fails', async (ifLogFails, status) => {
    const { url } = await startModelServer(letters);
    const alarms: unknown[] = [];
    const { post } = await gatewayBefore(url, {
      marking: {
        log: { append: () => Promise.reject(full) },
        policy: { ...closed, ifLogFails },
        onAlarm: (...alarm) => alarms.push(alarm),
      },
    });
    const reply = await post(`${path}/infer`, question('abba'));
    expect(reply.status).toBe(status);
    if (status === 503) return;
    const clean = toDistribution(letterProbabilities('abba'), servingFloor);
    expect(reply.body.outputs[0].data).toEqual([...clean]);
    expect(alarms).toEqual([['unrecorded', 1, full]]);
  });

  it.each([
    ['fail-closed', 500],
    ['fail-open', 200],
  ] as const)('%s when marking fails', async (ifMarkingFails, status) => {
    const { url } = await startModelServer(letters);
    const alarms: unknown[] = [];
    const lost = new TouchmarkError('KEY_RING_INVALID', 'the key is another one');
    const { post, records } = await gatewayBefore(url, {
      marking: {
        keys: {
          currentEpoch: () => ({ epoch: 'e1', commitment: `sha256:${'0'.repeat(64)}` }),
          epochKey: () => {
            throw lost;
          },
        },
        policy: { ...closed, ifMarkingFails },
        onAlarm: (...alarm) => alarms.push(alarm),
      },
    });
    expect((await post(`${path}/infer`, question('abba'))).status).toBe(status);
    if (status === 500) return;
    expect(await records()).toMatchObject([{ input: 'abba', marks: { probability: false } }]);
    expect(alarms).toEqual([['unmarked', 1, lost]]);
  });
});

describe('replacing what a gateway serves', () => {
  it('drops no request, and serves by the new options from the next one on', async () => {
    const { url } = await startModelServer((one, response) => {
      if (!one.body.includes('slow')) return letters(one);
      setTimeout(() => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(letters(one)));
      }, 300);
      return undefined;
    });
    const { post, gateway, front } = await gatewayBefore(url);
    const slow = post(`${path}/infer`, question('slow'));
    await pause(100);
    let drained = false;
    const replaced = gateway
      .replace({
        service: { ready: async () => true },
        fronts: [front],
        authenticator: authenticatorOf({ bolt: 'token-of-bolt' }),
      })
      .then(() => {
        drained = true;
      });
    await pause(50);
    expect((await post(`${path}/infer`, question('abba'))).status).toBe(401);
    expect((await post(`${path}/infer`, question('abba'), 'bolt')).status).toBe(200);
    expect(drained).toBe(false);
    expect((await slow).status).toBe(200);
    await replaced;
  });
});
