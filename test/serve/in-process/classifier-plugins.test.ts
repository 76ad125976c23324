import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Input } from '../../../src/contracts.ts';
import { expressTouchmark } from '../../../src/serve/in-process/express.ts';
import { fastifyTouchmark } from '../../../src/serve/in-process/fastify.ts';
import { honoTouchmark } from '../../../src/serve/in-process/hono.ts';
import type { ReplyOptions } from '../../../src/serve/in-process/reply-marker.ts';
import type { RequestWithHeaders, Touchmark } from '../../../src/serve/in-process/touchmark.ts';
import { ClassifierMarker } from '../../../src/watermark/classifier-marker.ts';
import { servingFloor, toDistribution } from '../../../src/watermark/probability/distribution.ts';
import { classifierProfile, letters, listen, listenToHono, openScene } from './scene.ts';

/** What the application's own code answers to the JSON of a question. */
type Answer = (question: { inputs?: unknown[]; texts?: string[] }) => {
  readonly status?: number;
  readonly json?: unknown;
  /** Sent as it is, with a content-length of its own. */
  readonly text?: string;
};

type Start = (
  touchmark: Touchmark<RequestWithHeaders>,
  answer: Answer,
  options?: ReplyOptions<RequestWithHeaders>,
) => Promise<string>;

/** Applications with the marked route /classify, and the route /slow that streams unmarked. */
const frameworks: readonly (readonly [name: string, start: Start])[] = [
  [
    'Fastify',
    async (touchmark, answer, options) => {
      const app = fastify();
      await app.register(fastifyTouchmark, { touchmark, routes: ['/classify'], ...options });
      app.post('/classify', async (request, reply) => {
        const { status = 200, json, text } = answer(request.body as never);
        reply.code(status).header('x-own', 'kept');
        if (text === undefined) return json;
        reply.header('content-type', 'application/json').header('content-length', text.length);
        return text;
      });
      app.get('/slow', async (_, reply) => reply.send(slowly()));
      onTestFinished(() => app.close());
      return app.listen({ host: '127.0.0.1', port: 0 });
    },
  ],
  [
    'Hono',
    (touchmark, answer, options) => {
      const app = new Hono();
      app.use('/classify', honoTouchmark(touchmark, options));
      app.post('/classify', async (context) => {
        const { status = 200, json, text } = answer(await context.req.json());
        const headers: Record<string, string> = { 'x-own': 'kept' };
        if (text === undefined) return Response.json(json, { status, headers });
        headers['content-length'] = String(text.length);
        return context.body(text, 200, headers);
      });
      app.get('/slow', () => new Response(slowly()));
      return listenToHono(app);
    },
  ],
  [
    'Express',
    (touchmark, answer, options) => {
      const app = express();
      app.use(express.json());
      app.use('/classify', expressTouchmark(touchmark, options));
      app.post('/classify', (request, response) => {
        const { status = 200, json, text } = answer(request.body);
        response.status(status).set('x-own', 'kept');
        if (text === undefined) response.json(json);
        else {
          const headers = { 'content-type': 'application/json', 'content-length': text.length };
          response.writeHead(200, headers);
          response.write(text.slice(0, 5));
          response.end(text.slice(5));
        }
      });
      app.get('/slow', async (_, response) => {
        for await (const part of slowly()) response.write(part);
        response.end();
      });
      return listen(app);
    },
  ],
];

let goOn = (): void => undefined;

/** The second part comes when the first was heard. */
function slowly(): ReadableStream<Uint8Array> {
  const heard = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  return new ReadableStream({
    async start(controller) {
      controller.enqueue(Buffer.from('first '));
      await heard;
      controller.enqueue(Buffer.from('second'));
      controller.close();
    },
  });
}

function ask(origin: string, question: unknown, key = 'acmes-key'): Promise<Response> {
  return fetch(`${origin}/classify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify(question),
  });
}

const { labels } = classifierProfile;
const plain: Answer = ({ inputs = [] }) => ({
  json: { labels, probabilities: inputs.map((input) => letters(input as Input)) },
});
const inputs = ['abba', 'dad', 'a cab', 'bad cab'];

describe.each(frameworks)('the plugin for %s', (_, start) => {
  it('sends what the marker gives, once the log has it', async () => {
    const { touchmark, keyRing, records } = await openScene();
    const origin = await start(touchmark, plain);
    const response = await ask(origin, { inputs });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-own')).toBe('kept');
    const marker = new ClassifierMarker(keyRing.epochKey('acme', 'e1'), classifierProfile);
    const marked = inputs.map((input) =>
      marker.mark(input, toDistribution(letters(input), servingFloor)),
    );
    const probabilities = marked.map(({ served }) => [...served]);
    expect(await response.json()).toEqual({ labels, probabilities });
    expect(await records()).toMatchObject(
      inputs.map((input, at) => ({ input, served: probabilities[at], modelVersion: '7' })),
    );
  });

  it('marks what was written as text with a length, too', async () => {
    const { touchmark, records } = await openScene();
    const text = JSON.stringify(plain({ inputs: ['a cab'] }).json);
    const response = await ask(await start(touchmark, () => ({ text })), { inputs: ['a cab'] });
    const body: { probabilities?: unknown } = JSON.parse(await response.text());
    expect(body.probabilities).toEqual(
      (await records()).map((each) => 'served' in each && each.served),
    );
    expect(body).not.toEqual(JSON.parse(text));
  });

  it('turns strangers away before the model is asked', async () => {
    const { touchmark, failures } = await openScene();
    let asked = 0;
    const origin = await start(touchmark, (question) => {
      asked += 1;
      return plain(question);
    });
    const response = await ask(origin, { inputs }, 'another-key');
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await response.text()).toContain('unknown tenant');
    expect([asked, failures]).toEqual([0, []]);
  });

  it("leaves the application's own refusals and other routes as they are", async () => {
    const { touchmark, records } = await openScene();
    const refusal = { error: 'too many inputs' };
    const origin = await start(touchmark, () => ({ status: 413, json: refusal }));
    const response = await ask(origin, { inputs });
    expect([response.status, await response.json()]).toEqual([413, refusal]);
    const slow = (await fetch(`${origin}/slow`)).body!.getReader();
    expect(Buffer.from((await slow.read()).value!).toString()).toBe('first ');
    goOn();
    expect(Buffer.from((await slow.read()).value!).toString()).toBe('second');
    expect(await records()).toEqual([]);
  });

  it('sends nothing of a reply that it cannot mark', async () => {
    const { touchmark, records, failures } = await openScene();
    const probabilities = inputs.map(letters);
    const replies = [
      { labels, probabilities, top: 'a' },
      { labels: ['w', 'x', 'y', 'z'], probabilities },
      { labels, probabilities: probabilities.slice(1) },
      { probabilities: inputs.map(() => [1, 1, 1, 1]) },
      { answers: inputs.map(() => 'a') },
      'a text',
    ];
    const waiting: unknown[] = [...replies];
    const origin = await start(touchmark, () => ({ json: waiting.shift() }));
    for (const _ of replies) {
      const response = await ask(origin, { inputs });
      expect(response.status).toBe(502);
      expect(await response.text()).toMatch(/"(error|message)":"the model .* unusable answer"/);
    }
    expect(failures).toMatchObject(replies.map(() => ({ code: 'UPSTREAM_ANSWER_INVALID' })));
    expect(await records()).toEqual([]);
  });

  it('tells a client what is wrong with its own question', async () => {
    const { touchmark, failures } = await openScene();
    const origin = await start(touchmark, () => plain({ inputs: ['abba'] }));
    const response = await ask(origin, { inputs: [{ text: 'abba' }] });
    expect([response.status, failures]).toEqual([400, []]);
    expect(await response.text()).toContain('inputs[0] is');
  });

  it('reads and writes the JSON that it is told of', async () => {
    const { touchmark, records } = await openScene();
    const asked = ({ texts = [] }: Parameters<Answer>[0]) => ({
      json: { results: texts.map((text) => ({ text, scores: letters(text) })) },
    });
    const origin = await start(touchmark, asked, {
      read(_, reply) {
        const { results } = reply as { results: { text: string; scores: number[] }[] };
        return {
          inputs: results.map(({ text }) => text),
          probabilities: results.map(({ scores }) => scores),
        };
      },
      write: (answers) => ({ best: answers.map(({ label }) => labels[label]) }),
      modelVersion: '8',
    });
    const response = await ask(origin, { texts: ['abba', 'dad'] });
    const logged = await records();
    const best = logged.map((record) => 'label' in record && labels[record.label]);
    expect(await response.json()).toEqual({ best });
    expect(logged).toMatchObject([
      { input: 'abba', modelVersion: '8' },
      { input: 'dad', modelVersion: '8' },
    ]);
  });

  it('gives no answer that the log does not have, or the unmarked one, as the policy says', async () => {
    const closed = await openScene();
    const origin = await start(closed.touchmark, plain);
    closed.failLog();
    const response = await ask(origin, { inputs });
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('cannot record answers now');
    expect(closed.failures).toHaveLength(1);

    const open = await openScene({
      policy: { ifMarkingFails: 'fail-closed', ifLogFails: 'fail-open' },
    });
    const other = await start(open.touchmark, plain);
    open.failLog();
    const answer: { probabilities: number[][] } = (await (
      await ask(other, { inputs })
    ).json()) as never;
    for (const [row, input] of inputs.entries()) {
      const clean = toDistribution(letters(input), servingFloor);
      expect(answer.probabilities[row]).toEqual([...clean]);
    }
    expect(open.alarms).toEqual([['unrecorded', 4]]);
  });
});
