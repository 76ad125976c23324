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
import { receivedWrongly, refusedCheats, undetectableCheats } from './accusers.ts';
import {
  fewOfEachKind,
  isOnlySigned,
  mutateAt,
  mutateBytes,
  placesOf,
  refusal,
  signedAnew,
  statementOf,
} from './mutations.ts';

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
    const accepted = Array.from({ length: 120 }, () => mutateBytes(labelsOnly, random)).filter(
      (text) => text !== labelsOnly && refusal(text) !== 'EVIDENCE_INVALID',
    );
    expect(accepted.map((text) => text.slice(0, 80))).toEqual([]);
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
    const kinds = [...Object.keys(refusedCheats), ...Object.keys(undetectableCheats)];
    const wrong = kinds.flatMap((kind) =>
      [0, 1].map((turn) => receivedWrongly({ text: labelsOnly, key }, kind, turn)),
    );
    expect(kinds).toHaveLength(13);
    expect(wrong.filter((each) => each !== undefined)).toEqual([]);
  });

  it('holds no key that it does not have to reveal', () => {
    const inside = [full, labelsOnly, redacted].map((text) => JSON.stringify(statementOf(text)));
    expect(scene.secrets.length).toBeGreaterThan(6);
    expect(leaks(scene.secrets, inside)).toEqual([]);
  });
});
