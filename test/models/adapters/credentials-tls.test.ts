import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSuspectFile } from '../../../src/config/suspect-files.ts';
import { openClassifier } from '../../../src/models/adapters/registry.ts';
import { type HostileServer, say, startHostileServer } from './hostile-server.ts';

const run = promisify(execFile);
const signal = new AbortController().signal;
let directory: string;
let plain: HostileServer;
let secure: Server;
let origin: string;

/** Makes an authority, a server it vouches for, and two clients of which it vouches for one. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'touchmark-tls-'));
  for (const name of ['authority', 'stranger']) await certificate(name, []);
  const signed = ['-CA', file('authority', 'pem'), '-CAkey', file('authority', 'key')];
  await certificate('server', [...signed, '-addext', 'subjectAltName=IP:127.0.0.1']);
  await certificate('client', signed);
  secure = createServer(
    {
      cert: await readFile(file('server', 'pem')),
      key: await readFile(file('server', 'key')),
      ca: await readFile(file('authority', 'pem')),
      requestCert: true,
      rejectUnauthorized: true,
    },
    (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      response.end(JSON.stringify({ answers: [subject.CN] }));
    },
  );
  secure.listen(0, '127.0.0.1');
  await once(secure, 'listening');
  origin = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`;
  plain = await startHostileServer();
});
afterAll(async () => {
  secure.closeAllConnections();
  secure.close();
  await plain.close();
  await rm(directory, { recursive: true });
});

const file = (name: string, ending: string) => join(directory, `${name}.${ending}`);

async function certificate(name: string, more: readonly string[]): Promise<void> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', `/CN=${name}`, '-days', '2'];
  const out = ['-keyout', file(name, 'key'), '-out', file(name, 'pem')];
  await run('openssl', ['req', '-x509', ...key, ...subject, ...out, ...more]);
}

const open = (client: string, authority = 'authority') =>
  openClassifier(
    {
      kind: 'http',
      url: `${origin}/classify`,
      mtls: {
        certificate: file(client, 'pem'),
        key: file(client, 'key'),
        authority: file(authority, 'pem'),
      },
    },
    { labels: ['client', 'other'], retries: 0, readFile: readSuspectFile },
  );

describe('mutual TLS', () => {
  test('shows our certificate', async () => {
    const classifier = open('client');
    expect(await classifier.classify(['a'], { signal })).toEqual([{ answer: { label: 'client' } }]);
    expect(classifier.counts()).toMatchObject({ requests: 1 });
    await classifier.close();
  });

  test.each([
    ['a certificate that the suspect does not know', 'stranger', 'authority'],
    ['a suspect that our authority does not know', 'client', 'stranger'],
  ])('ends with %s', async (_, client, authority) => {
    const classifier = open(client, authority);
    await expect(classifier.classify(['a'], { signal })).rejects.toMatchObject({
      code: 'SUSPECT_UNREACHABLE',
      exitCode: 3,
    });
    await classifier.close();
  });

  test('says which file is not there', async () => {
    const classifier = open('nobody');
    await expect(classifier.classify(['a'], { signal })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: `the suspect's file ${file('nobody', 'pem')} is not there`,
    });
    await classifier.close();
  });
});

test('headers are sent, secret ones from the environment, and masked when they come back', async () => {
  const key = 'sentinel-key-123';
  const classifier = openClassifier(
    {
      kind: 'http',
      url: plain.origin,
      headers: { 'x-api-key': { environment: 'RIVAL_KEY' }, 'x-client': 'audit' },
    },
    { labels: ['en', 'no'], retries: 0, environment: { RIVAL_KEY: key } },
  );
  plain.play(say({ answers: ['en'] }));
  await classifier.classify(['a'], { signal });
  expect(plain.received[0]?.headers).toMatchObject({ 'x-api-key': key, 'x-client': 'audit' });
  plain.play(say({ error: `bad key ${key}` }, 403));
  await expect(classifier.classify(['a'], { signal })).rejects.toMatchObject({
    code: 'SUSPECT_REFUSED',
    message: expect.stringContaining('bad key …'),
  });
  await classifier.close();
});
