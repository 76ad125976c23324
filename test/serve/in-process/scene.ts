import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type { Input, Tokenizer } from '../../../src/contracts.ts';
import { TouchmarkError } from '../../../src/errors.ts';
import { readAnswers } from '../../../src/ledger/read-log.ts';
import { openServingLog } from '../../../src/ledger/serving-log.ts';
import { type Alarm, type FailurePolicy, failClosed } from '../../../src/serve/failure-policy.ts';
import {
  headerOf,
  type RequestWithHeaders,
  type Touchmark,
} from '../../../src/serve/in-process/touchmark.ts';
import { createMarking } from '../../../src/serve/marking.ts';
import { createTextMarking } from '../../../src/serve/text-marking.ts';
import { createKeyRing } from '../../../src/store/key-ring.ts';
import type { TextProfile } from '../../../src/watermark/text/profile.ts';
import { collect, quickParent, temporaryDirectory } from '../../ledger/records.ts';
import { textProfile } from '../../watermark/fixtures.ts';

export const classifierProfile = textProfile();
export const now = '2026-01-02T03:04:05.678Z';

/** One for all scenes of a file, as committing to an epoch takes its time. */
const ring = (async () => {
  const directory = await mkdtemp(join(tmpdir(), 'touchmark-ring-'));
  const keyRing = await createKeyRing({ source: `file:${directory}/ring.json` });
  await rm(directory, { recursive: true });
  keyRing.addEpoch('acme', now);
  return keyRing;
})();

export interface SceneOptions {
  readonly policy?: FailurePolicy;
  readonly text?: { readonly profile: TextProfile; readonly tokenizer?: Tokenizer };
}

/** A touchmark over a real key ring and a real serving log; the tenant acme has the key acme's. */
export async function openScene({ policy = failClosed, text }: SceneOptions = {}) {
  const keyRing = await ring;
  const log = await openServingLog(`${temporaryDirectory(quickParent)}/log`);
  onTestFinished(() => log.close());
  const failures: unknown[] = [];
  const alarms: (readonly [Alarm, number])[] = [];
  const common = {
    modelVersion: '7',
    keys: keyRing,
    log,
    clock: () => new Date(now),
    policy,
    onAlarm: (alarm: Alarm, answers: number) => void alarms.push([alarm, answers]),
  };
  const touchmark: Touchmark<RequestWithHeaders> = {
    tenantOf: (request) =>
      headerOf(request, 'authorization') === 'Bearer acmes-key' ? 'acme' : undefined,
    policy,
    classifier: createMarking({ ...common, profile: classifierProfile }),
    ...(text && { text: createTextMarking({ ...common, ...text }) }),
    onAlarm: common.onAlarm,
    onFailure: (error) => void failures.push(error),
    close: () => log.close(),
  };
  /** What the log has of acme; nothing before the first answer to it. */
  const records = () =>
    collect(readAnswers(log.directory, { tenant: 'acme' })).catch((cause: unknown) => {
      if (TouchmarkError.isInstance(cause) && cause.code === 'TENANT_UNKNOWN') return [];
      throw cause;
    });
  const failLog = () => log.fail(new TouchmarkError('STORE_FULL', 'no space'));
  return { touchmark, keyRing, records, failures, alarms, failLog };
}

/** Serves on an address of its own until the test ends, and returns its origin. */
export async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Letters of a text among a, b, c and d, as probabilities. */
export function letters(input: Input): number[] {
  const counts = [...'abcd'].map((each) => String(input).split(each).length);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => count / total);
}

/** Serves an application of fetch's requests and responses, as runtimes for Hono do. */
export function listenToHono(app: {
  fetch(request: Request): Response | Promise<Response>;
}): Promise<string> {
  return listen(async (incoming, outgoing) => {
    const { method = 'GET', url } = incoming;
    const headers = incoming.headers as Record<string, string>;
    const body = method === 'GET' ? {} : { body: await buffer(incoming) };
    const response = await app.fetch(
      new Request(`http://127.0.0.1${url}`, { method, headers, ...body }),
    );
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    for await (const chunk of response.body ?? []) outgoing.write(chunk);
    outgoing.end();
  });
}
