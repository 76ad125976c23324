import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshProbe } from '../../src/audit/material.ts';
import { openAudit, type PreparedAudit } from '../../src/operations/audit-preparation.ts';
import { checkRelay } from '../../src/operations/audit-relay.ts';
import { rotateKey } from '../../src/operations/keys.ts';
import { startService } from '../../src/operations/serve.ts';
import { readingLogs } from '../../src/watermark/probability/alignment.ts';
import {
  createScene,
  lookUpThief,
  ngramModel,
  type Predict,
  type Scene,
  sentences,
  serve,
} from './audit-scene.ts';

let scene: Scene;
let service: Awaited<ReturnType<typeof startService>>;
let prepared: PreparedAudit;
const closing: (() => void)[] = [];

beforeAll(async () => {
  scene = await createScene(60);
  await rotateKey({ configPath: scene.configPath, tenant: 'example', environment: {} });
  service = await startService({
    configPath: scene.configPath,
    environment: {},
    flags: [{ path: ['serve', 'port'], value: 0, from: '--port' }],
    signal: new AbortController().signal,
    progress: () => undefined,
    onNotice: () => undefined,
    onFailure: () => undefined,
  });
  await ask(await relay(), ['a question of the next epoch']);
  prepared = await openAudit({ ...scene.options('', ''), epoch: 'e1' });
});

afterAll(async () => {
  for (const close of closing) close();
  await service.stop();
  scene.close();
});

/** A suspect that has no model: it asks our service, as a customer of it, whatever it is asked. */
async function relay(): Promise<string> {
  const keyFile = join(scene.directory, '.touchmark/api-keys/example.key');
  const authorization = `Bearer ${readFileSync(keyFile, 'utf8').trim()}`;
  const server = createServer(async (request, response) => {
    const answer = await fetch(`${service.address}/classify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: await text(request),
    });
    response.end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/classify`;
}

async function modelOf(predict: Predict): Promise<string> {
  const suspect = await serve(predict);
  closing.push(suspect.close);
  return suspect.http.replace(/^http:/, '');
}

async function ask(address: string, inputs: readonly string[]): Promise<readonly string[]> {
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs }),
  });
  const { labels, probabilities } = (await response.json()) as {
    labels: string[];
    probabilities: number[][];
  };
  return probabilities.map((row) => labels[row.indexOf(Math.max(...row))]!);
}

/** Puts fresh questions to a suspect, as an audit does, and checks it. */
async function check(address: string, seed: string, audit: PreparedAudit = prepared) {
  const questions = sentences(160, seed);
  const sealedAt = new Date().toISOString();
  const unserved = new Map<string, { readonly label: string; readonly at: string }>();
  for (let start = 0; start < questions.length; start += 32) {
    const answers = await ask(address, questions.slice(start, start + 32));
    answers.forEach((label, index) => {
      unserved.set(`fresh/${start + index}`, { label, at: new Date().toISOString() });
    });
  }
  const predict = ngramModel();
  const fresh = questions.map((question, index) => ({
    probe: freshProbe(index, question),
    baselines: [readingLogs(predict(question))],
  }));
  return checkRelay(audit, {
    plan: { sealedAt, tenant: 'example' },
    material: { fresh, regionLots: [] },
    answers: { unserved },
  });
}

describe('a relay check', () => {
  it('finds no sign in a model that learned from answers of the closed epoch', async () => {
    const found = await check(await modelOf(lookUpThief(scene.served)), 'unasked');
    expect(found).toMatchObject({
      finding: 'no-sign',
      closedSince: prepared.retiredAt,
      log: { probes: 160, found: 0, tenants: 0, inWindow: 0, log10P: 0 },
    });
    expect(found.coins.asked).toBeGreaterThan(5);
    expect(found.coins.log10E).toBeLessThan(1);
  });

  it('tells a suspect that forwards to our service, by coins and by the log', async () => {
    const found = await check(await relay(), 'forwarded');
    expect(found).toMatchObject({
      finding: 'relay-likely',
      coins: { keys: 1 },
      log: { probes: 160, found: 160, ofAuditedTenant: 160, tenants: 1, inWindow: 160 },
    });
    expect(found.coins.agreeing).toBe(found.coins.asked);
    expect(found.coins.log10E).toBeGreaterThan(3);
    expect(found.log.log10P).toBeLessThan(-2.3);
    expect(found.says).toContain('follow the coins of a key in use, and the questions of this');
  });

  it('tells one also while the audited epoch is in use, and excludes none then', async () => {
    const { retiredAt: _, ...rest } = prepared;
    const open = { ...rest, retiredAt: undefined };
    expect((await check(await relay(), 'open')).finding).toBe('relay-likely');
    const model = await check(await modelOf(ngramModel(0.4)), 'model', open);
    expect(model).toMatchObject({ finding: 'not-testable', closedSince: null });
    expect(model.says).toContain('A relay cannot be excluded');
  });

  it('leaves out questions that were asked before the plan was sealed', async () => {
    const found = await check(await modelOf(ngramModel()), 'forwarded');
    expect(found).toMatchObject({
      finding: 'not-testable',
      coins: { asked: 0 },
      log: { probes: 0, found: 0 },
    });
    expect(found.says).toContain('too few questions that nobody had asked before');
  });
});
