import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sealEnvelope } from '../../src/dossier/envelope.ts';
import { keyIdentifier, publicKeyOf } from '../../src/keys/signing.ts';
import { verify } from '../../src/operations/verify.ts';
import { handmadeOwner } from '../dossier/handmade.ts';
import { forge } from '../dossier/workshop.ts';
import { ngramModel, sentences } from './audit-scene.ts';

const directory = mkdtempSync(join(tmpdir(), 'touchmark-verify-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const { template, key, epochKey } = handmadeOwner();
const ownerKey = keyIdentifier(publicKeyOf(key));
const forged = forge({
  ...{ template, epochKey, signingKey: key, identifier: 'ab'.repeat(16) },
  ...{ clean: ngramModel(), suspect: ngramModel(0.4), questions: sentences(60, 'asked') },
  ...{ gives: ['labels'], begun: new Date('2026-01-01T00:00:00.000Z') },
});
const path = write('acme.dossier.json', sealEnvelope(forged.statement, key));

function write(name: string, content: string | Uint8Array): string {
  writeFileSync(join(directory, name), content);
  return join(directory, name);
}

const check = (more: Partial<Parameters<typeof verify>[0]> = {}) =>
  verify({ path, authorities: [], ...more });

async function gradesOf(more: Parameters<typeof check>[0]): Promise<Record<string, string>> {
  const { claims } = await check(more);
  return Object.fromEntries(claims.map(({ claim, grade }) => [claim, grade]));
}

describe('verify', () => {
  it('says what a dossier says, the weakest claim first', async () => {
    const found = await check();
    expect(found).toMatchObject({
      ...{ schema: 'touchmark/verification@1', file: path, keyIdentifier: ownerKey },
      ...{ tenant: 'example', epoch: 'e1', protectedModel: 'trees', weakest: 'asserted' },
      ...{ verdict: 'inconclusive', threshold: 6 },
    });
    const grades = found.claims.map(({ grade }) => grade);
    const order = ['asserted', 'anchored', 'recomputed'];
    expect(grades).toEqual(grades.toSorted((a, b) => order.indexOf(a) - order.indexOf(b)));
    expect(grades).toContain('recomputed');
    expect(found.reveals).toEqual([expect.stringMatching(/^label coins of \d+ leaves$/)]);
  });

  it('takes the owner’s key in either case, and no other', async () => {
    expect(await gradesOf({ ownerKey: ownerKey.toUpperCase() })).toMatchObject({
      owner: 'recomputed',
    });
    expect(await gradesOf({})).toMatchObject({ owner: 'asserted' });
    for (const wrong of ['0'.repeat(64), ownerKey.slice(1), '']) {
      await expect(check({ ownerKey: wrong })).rejects.toMatchObject({ code: 'EVIDENCE_INVALID' });
    }
  });

  it('believes the order to witnesses who saw the log before there was a suspect, and no first look', async () => {
    const seen = (at: string) => {
      const digests = [...forged.roots, forged.planHash];
      const name = `seen-${at.replace(/\W/g, '-')}.jsonl`;
      return write(name, digests.map((digest) => JSON.stringify({ digest, at })).join('\n'));
    };
    const availableSince = '2026-03-01';
    const early = await gradesOf({ availableSince, witness: seen('2025-12-31T00:00:00+01:00') });
    expect(early).toMatchObject({ order: 'anchored', 'first look': 'asserted' });
    for (const late of [
      { availableSince, witness: seen('2026-03-01T00:00:00Z') },
      { availableSince, witness: seen('2026-02-01T00:00:00Z') },
      { witness: seen('2025-12-31T00:00:00Z') },
      { availableSince },
    ]) {
      expect(await gradesOf(late)).toMatchObject({ order: 'asserted' });
    }
  });

  it.each([
    ['a date that is none', { availableSince: 'yesterday' }, 'USAGE'],
    ['a month that is none', { availableSince: '2026-13-01' }, 'USAGE'],
    [
      'an authority that is no certificate',
      { authorities: [write('no.pem', 'x')] },
      'INPUT_INVALID',
    ],
    ['a witness without a file', { witness: join(directory, 'nobody.jsonl') }, 'USAGE'],
    ['an authority without a file', { authorities: [join(directory, 'nobody.pem')] }, 'USAGE'],
  ])('refuses %s', async (_, options, code) => {
    await expect(check(options)).rejects.toMatchObject({ code });
  });

  it('names the line of a witness that says nothing', async () => {
    const good = { digest: 'a'.repeat(64), at: '2026-01-01T00:00:00Z' };
    for (const bad of ['{', '{}', JSON.stringify({ ...good, at: 'then' }), '"digest"']) {
      const witness = write('bad.jsonl', `${JSON.stringify(good)}\n\n${bad}\n`);
      await expect(check({ witness })).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringContaining('bad.jsonl:'),
      });
    }
  });

  it('finds no dossier where there is no file', async () => {
    mkdirSync(join(directory, 'folder.dossier.json'));
    for (const missing of ['nothing.json', 'folder.dossier.json', '', 'acme.dossier.json/inside']) {
      const where = join(directory, missing);
      await expect(check({ path: where })).rejects.toMatchObject({ code: 'USAGE' });
    }
  });

  it.each([
    ['nothing at all', ''],
    ['ten megabytes of noise', Buffer.alloc(10_000_000, '\u001b[31mnoise ')],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['arrays in arrays', '['.repeat(1_000_000)],
    ['arrays in arrays that end', `${'['.repeat(200_000)}${']'.repeat(200_000)}`],
    ['objects in objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ['another document', '{"payload":"e30=","payloadType":"text/plain","signatures":[]}\n'],
    ['a payload of arrays in arrays', envelopeOf('['.repeat(300_000) + ']'.repeat(300_000))],
    ['a payload without end', envelopeOf('[1,')],
    ['a prototype', envelopeOf('{"__proto__":{"predicate":{}}}')],
  ])('refuses %s as a dossier, quickly', async (_, content) => {
    const begun = performance.now();
    await expect(check({ path: write('hostile.json', content) })).rejects.toMatchObject({
      code: 'EVIDENCE_INVALID',
      message: expect.not.stringMatching(/[^\P{Cc}\n]/u),
    });
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  it('refuses a signed dossier that is nested beyond reading', async () => {
    const inside = JSON.stringify(forged.statement);
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const content = envelopeOf(inside.replace(/"report":\{.*\}(?=\}\}$)/, `"report":${deep}`));
    expect(content).not.toContain(Buffer.from(inside).toString('base64'));
    const where = write('deep.json', content);
    await expect(check({ path: where })).rejects.toMatchObject({ code: 'EVIDENCE_INVALID' });
  });
});

/** A payload as a dossier carries it, under a signature that does not fit. */
function envelopeOf(inside: string): string {
  const payload = Buffer.from(inside).toString('base64');
  const sig = Buffer.alloc(64).toString('base64');
  const type = 'application/vnd.in-toto+json';
  return `{"payload":"${payload}","payloadType":"${type}","signatures":[{"keyid":"${ownerKey}","sig":"${sig}"}]}\n`;
}
