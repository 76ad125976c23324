import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sealEnvelope } from '../../src/dossier/envelope.ts';
import { keyIdentifier, publicKeyOf } from '../../src/keys/signing.ts';
import { handmadeOwner } from '../dossier/handmade.ts';
import { forge } from '../dossier/workshop.ts';
import { ngramModel, sentences } from '../operations/audit-scene.ts';
import { type Ended, run } from './command-line.ts';

/** What would clear the reader's screen, hide the verdict, or turn the text around. */
const hostile = '\u001b[2J\u001b]0;owned\u0007\u202eecnetnes\u009b31m\r<script>';
const cwd = mkdtempSync(join(tmpdir(), 'touchmark-verify-'));
const { template, key, epochKey } = handmadeOwner();
const ownerKey = keyIdentifier(publicKeyOf(key));

beforeAll(() => {
  const { statement } = forge({
    ...{ template, epochKey, signingKey: key, identifier: 'ab'.repeat(16) },
    ...{ clean: ngramModel(), suspect: ngramModel(0.4), questions: sentences(40, 'asked') },
    ...{ gives: ['labels'], begun: new Date('2026-01-01T00:00:00.000Z') },
    plan: { suspect: hostile, protectedModel: { name: hostile, version: '1' } },
  });
  writeFileSync(join(cwd, 'acme.dossier.json'), sealEnvelope(statement, key));
  writeFileSync(join(cwd, 'noise.json'), Buffer.alloc(10_000_000, hostile));
});

afterAll(() => rmSync(cwd, { recursive: true, force: true }));

async function verify(...words: string[]): Promise<Ended> {
  const ended = await run(['verify', ...words], { cwd });
  const printed = [ended.stdout, ended.stderr];
  expect(printed.filter((text) => /[^\P{Cc}\n]|\p{Bidi_C}/u.test(text))).toEqual([]);
  return ended;
}

describe('touchmark verify', () => {
  it('ends with 0, says the weakest claim first, and lets nothing act on the terminal', async () => {
    const [plain, asJson] = await Promise.all([
      verify('acme.dossier.json'),
      verify('acme.dossier.json', '--json', '--owner-key', ownerKey),
    ]);
    expect([plain.exitCode, asJson.exitCode]).toEqual([0, 0]);
    const lines = plain.stdout.split('\n');
    expect(lines[1]).toMatch(/^weakest claim +asserted$/);
    const grades = lines.flatMap(
      (line) => /^(asserted|anchored|recomputed) /.exec(line)?.[1] ?? [],
    );
    expect(grades.length).toBeGreaterThan(5);
    expect(grades).toEqual([...grades].sort((one, two) => strength(one) - strength(two)));
    expect(plain.stdout).toContain(ownerKey);
    expect(plain.stdout).toContain('\\u{1b}[2J');
    expect(plain.stdout).toMatch(/reveals +label coins of \d+ leaves/);
    const found = JSON.parse(asJson.stdout);
    expect(found).toMatchObject({ weakest: 'asserted', keyIdentifier: ownerKey, suspect: hostile });
    expect(found.claims).toContainEqual(
      expect.objectContaining({ claim: 'owner', grade: 'recomputed' }),
    );
  });

  it('ends with 5 when claims are weaker than --require, and still says which', async () => {
    const required = await verify('acme.dossier.json', '--require', 'anchored');
    expect(required.exitCode).toBe(5);
    expect(required.stdout).toContain('weakest claim');
    expect(required.stderr).toMatch(/not anchored: .*order/);
  });

  it('ends with 5 for what is no dossier, and with 2 where there is nothing', async () => {
    const [noise, missing] = await Promise.all([verify('noise.json'), verify('nothing.json')]);
    expect([noise.exitCode, noise.stdout]).toEqual([5, '']);
    expect(noise.stderr).toContain('is not JSON');
    expect([missing.exitCode, missing.stdout]).toEqual([2, '']);
    expect(missing.stderr).toContain('There is no file nothing.json');
  });
});

function strength(grade: string): number {
  return ['asserted', 'anchored', 'recomputed'].indexOf(grade);
}
