import { Readable } from 'node:stream';
import fastify, { type FastifyRequest } from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fastifyTouchmark } from '../../../src/serve/in-process/fastify.ts';
import type { Touchmark } from '../../../src/serve/in-process/touchmark.ts';
import { classifierProfile, letters, openScene } from './scene.ts';

const { labels } = classifierProfile;
const reply = { labels, probabilities: [letters('a cab')] };
const question = { method: 'POST', url: '/v1/classify', payload: { inputs: ['a cab'] } } as const;

describe('the plugin for Fastify', () => {
  it("asks tenantOf after the application's own hooks, for routes with a prefix too", async () => {
    const { touchmark, records } = await openScene();
    const companies = new WeakMap<FastifyRequest, string>();
    const own: Touchmark<FastifyRequest> = {
      ...touchmark,
      tenantOf: async (request) => companies.get(request),
    };
    const app = fastify();
    onTestFinished(() => app.close());
    await app.register(fastifyTouchmark, { touchmark: own, routes: ['/v1/classify'] });
    app.addHook('preHandler', async (request) => {
      if (request.headers['x-user'] === 'ann') companies.set(request, 'acme');
    });
    app.register(async (scope) => scope.post('/classify', async () => reply), { prefix: '/v1' });
    const served = await app.inject({ ...question, headers: { 'x-user': 'ann' } });
    expect(await records()).toMatchObject([
      { input: 'a cab', served: served.json().probabilities[0] },
    ]);
    const stranger = await app.inject(question);
    expect([stranger.statusCode, stranger.headers['www-authenticate']]).toEqual([401, 'Bearer']);
  });

  it("hands failures to the application's error handler", async () => {
    const { touchmark, failures } = await openScene();
    const app = fastify();
    onTestFinished(() => app.close());
    await app.register(fastifyTouchmark, { touchmark, routes: ['/v1/classify'] });
    app.setErrorHandler<Error & { statusCode: number }>(({ statusCode, message }, _, response) =>
      response.code(statusCode).send({ oops: message }),
    );
    app.post('/v1/classify', async (_, response) =>
      response.type('application/json').send(Readable.from([JSON.stringify(reply)])),
    );
    const headers = { authorization: 'Bearer acmes-key' };
    const { statusCode, body } = await app.inject({ ...question, headers });
    expect(statusCode).toBe(502);
    expect(JSON.parse(body)).toEqual({ oops: expect.stringContaining('unusable answer') });
    expect(failures).toMatchObject([{ message: "The route's reply is a stream." }]);
  });

  it('does not start for a route that it cannot mark', async () => {
    const { touchmark } = await openScene();
    const app = fastify();
    onTestFinished(() => app.close());
    app.post('/v1/classify', async () => reply);
    await app.register(fastifyTouchmark, { touchmark, routes: ['/v1/classify'] });
    await expect(app.ready()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('/v1/classify'),
    });
    const { classifier: _, ...none } = touchmark;
    await expect(
      fastify().register(fastifyTouchmark, { touchmark: none, routes: [] }),
    ).rejects.toMatchObject({ code: 'CONFIG_INVALID', hint: expect.stringContaining('classify') });
  });
});
