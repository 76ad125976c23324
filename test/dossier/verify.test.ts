import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { weakestGrade } from '../../src/dossier/verify/claims.ts';
import { verifyDossier } from '../../src/dossier/verify/verify.ts';
import { auditSuspect, type PreparedAudit, prepareAudit } from '../../src/operations/audit.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { openKeyRing } from '../../src/store/key-ring.ts';
import {
  createScene,
  leaks,
  lookUpThief,
  type Scene,
  serve,
  type TestSuspect,
} from '../operations/audit-scene.ts';
import { edited, editKinds } from './accusers.ts';
import {
  fewOfEachKind,
  isOnlySigned,
  mutateAt,
  placesOf,
  refusal,
  signedAnew,
  statementOf,
} from './mutations.ts';
import { received, receivedText } from './received.ts';
import { byteTamperings, victimOf } from './tampering.ts';

/** All tests that ask questions of the log. */
const leftOut = ['probability-per-query', 'label-coins', 'probability-signs-replay'];
let scene: Scene;
let suspect: TestSuspect;
let prepared: PreparedAudit;
let key: KeyObject;
let full: string;
let labelsOnly: string;
let again: string;
let redacted: string;

beforeAll(async () => {
  scene = await createScene(100, { audit: { freshProbes: 24, batchSize: 40 } });
  prepared = await prepareAudit(scene.options('', ''));
  const path = join(scene.directory, '.touchmark/keys/ring.json');
  key = (await openKeyRing({ source: `file:${path}` })).signingKey();
  suspect = await serve(lookUpThief(scene.served));
  full = await dossierOf('full', false);
  redacted = await dossierOf('redacted', false, leftOut);
  labelsOnly = await dossierOf('labels', true);
  again = await dossierOf('again', true);
}, 60_000);

afterAll(() => {
  suspect.close();
  scene.close();
});

async function dossierOf(name: string, onlyLabels: boolean, redact: string[] = []) {
  suspect.labelsOnly = onlyLabels;
  await auditSuspect(prepared, { ...scene.options(suspect.http, name), redact });
  return readFileSync(join(scene.out(name), `${name}.dossier.json`), 'utf8');
}

describe('a dossier', () => {
  it('verifies as an audit wrote it, with probabilities and with labels alone', () => {
    for (const text of [full, labelsOnly, again, redacted]) expect(refusal(text)).toBeUndefined();
    const { claims, findings } = verifyDossier(full);
    expect(findings.evidence[0]!.status).toBe('done');
    expect(claims.find(({ claim }) => claim === 'statistics')!.grade).toBe('recomputed');
    expect(weakestGrade(claims)).toBe('asserted');
  });

  it('does not verify once its bytes are changed', () => {
    const random = seededRandom('bytes');
    const victim = victimOf(labelsOnly, key);
    const wrong = Object.entries(byteTamperings).flatMap(([kind, tamper]) =>
      [0, 1, 2].flatMap(() => {
        const text = tamper(victim, random, [victim]);
        if (text === undefined || text === labelsOnly) return [];
        const { fate, why } = receivedText(text);
        return fate === 'refused' ? [] : [`${kind}: ${why}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('does not verify once a field is changed and signed again by its owner', () => {
    const random = seededRandom('fields');
    const original = statementOf(labelsOnly);
    const places = fewOfEachKind(placesOf(original.predicate), 2, random);
    const bound = places.filter((place) => !isOnlySigned(place));
    expect(bound.length).toBeGreaterThan(150);
    const accepted = bound.flatMap((place) => {
      const statement = structuredClone(original);
      const how = mutateAt(statement.predicate, place, random);
      const code = refusal(signedAnew(statement, key));
      return code === 'EVIDENCE_INVALID' ? [] : [`${place.join('.')}: ${how}: ${code}`];
    });
    expect(accepted).toEqual([]);
  });

  it('does not verify with parts of another audit', () => {
    const other = statementOf(again);
    for (const part of [
      'plan',
      'run',
      'findings',
      'report',
      'reveals',
      'material',
      'log',
    ] as const) {
      const statement = statementOf(labelsOnly);
      const foreign = part === 'plan' || part === 'run' ? other : statementOf(full);
      (statement.predicate as Record<string, unknown>)[part] = foreign.predicate[part];
      expect([part, refusal(signedAnew(statement, key))]).toEqual([part, 'EVIDENCE_INVALID']);
    }
  });

  it('leaves tests out, with their questions, and then asserts its statistics', () => {
    const { claims, predicate } = verifyDossier(redacted);
    expect(claims.find(({ claim }) => claim === 'statistics')!.grade).toBe('asserted');
    expect(predicate.leftOut).toEqual(leftOut);
    expect(predicate.reveals.labelCoins ?? predicate.reveals.perQuery).toBeUndefined();
    expect(predicate.material.parts.coins).toBeUndefined();
    const coins = new Set(JSON.parse(statementOf(full).predicate.material.parts.coins!));
    expect(coins.size).toBeGreaterThan(0);
    const logged = new Map(
      statementOf(full).predicate.log.records.map(({ sequence, payload }) => [sequence, payload]),
    );
    const shown = predicate.log.records.map(({ sequence }) => sequence);
    expect(shown).toEqual([]);
    const hidden = [...logged].filter(([sequence]) => !shown.includes(sequence));
    expect(redacted.length).toBeLessThan(full.length);
    const inside = JSON.stringify(predicate);
    const left = hidden.map(([, payload]) => JSON.parse(payload).input.text as string);
    expect(left.filter((question) => inside.includes(question))).toEqual([]);
  });

  it('accuses nobody falsely: attempts are refused, or graded as the owner’s word', () => {
    const victim = victimOf(labelsOnly, key);
    const fates = editKinds.map((kind) => received(edited(victim, kind, 0)));
    expect(fates).toHaveLength(13);
    expect(fates.filter(({ fate }) => fate === 'passed')).toEqual([]);
  });

  it('holds no key that it does not have to reveal', () => {
    const inside = [full, labelsOnly, redacted].map((text) => JSON.stringify(statementOf(text)));
    expect(scene.secrets.length).toBeGreaterThan(6);
    expect(leaks(scene.secrets, inside)).toEqual([]);
  });
});
