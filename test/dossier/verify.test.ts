import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { weakestGrade } from '../../src/dossier/verify/claims.ts';
import { verifyDossier } from '../../src/dossier/verify/verify.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { ClassifierMarker } from '../../src/watermark/classifier-marker.ts';
import type { ClassifierProfile } from '../../src/watermark/classifier-profile.ts';
import {
  leaks,
  lookUpThief,
  ngramModel,
  type Predict,
  sentences,
  serve,
  type TestSuspect,
} from '../operations/audit-scene.ts';
import { edited, editKinds, madeConsistent } from './accusers.ts';
import { byteTamperings } from './byte-tampering.ts';
import { handmadeOwner } from './handmade.ts';
import {
  fewOfEachKind,
  isOnlySigned,
  mutateAt,
  type Path,
  placesOf,
  refusal,
  signedAnew,
  statementOf,
} from './mutations.ts';
import { createOwner, type Owner } from './owners.ts';
import { received, receivedText } from './received.ts';
import { victimOf } from './victims.ts';
import { forge } from './workshop.ts';

/** All tests that ask questions of the log. */
const leftOut = ['probability-per-query', 'label-coins', 'probability-signs-replay'];
let owner: Owner;
let suspect: TestSuspect;
let full: string;
let labelsOnly: string;
let again: string;
let redacted: string;
let withoutCoins: string;

beforeAll(async () => {
  const settings = { watermark: { coinShare: 0.25 }, log: { checkpointEvery: 16 } };
  owner = await createOwner(44, settings, 6);
  suspect = await serve(lookUpThief(owner.scene.served));
  full = await dossierOf(false);
  redacted = await dossierOf(false, leftOut);
  withoutCoins = await dossierOf(false, ['label-coins']);
  labelsOnly = await dossierOf(true);
  again = await dossierOf(true);
}, 120_000);

afterAll(() => {
  suspect.close();
  owner.scene.close();
});

const dossierOf = (onlyLabels: boolean, redact: readonly string[] = []) =>
  owner.dossier({ suspect, onlyLabels, redact });

/** Changes a few places of each kind, signs anew, and returns what is not refused. */
function acceptedOf(text: string, few: number, wanted: (place: Path) => boolean = () => true) {
  const random = seededRandom('fields');
  const original = statementOf(text);
  const places = fewOfEachKind(placesOf(original.predicate), few, random);
  const bound = places.filter((place) => !isOnlySigned(place) && wanted(place));
  const accepted = bound.flatMap((place) => {
    const statement = structuredClone(original);
    const how = mutateAt(statement.predicate, place, random);
    const code = refusal(signedAnew(statement, owner.key));
    return code === 'EVIDENCE_INVALID' ? [] : [`${place.join('.')}: ${how}: ${code}`];
  });
  return { tried: bound.length, accepted };
}

describe('a dossier', () => {
  it('verifies as an audit wrote it, with probabilities and with labels alone', () => {
    for (const text of [full, labelsOnly, again, redacted, withoutCoins]) {
      expect(refusal(text)).toBeUndefined();
    }
    const { claims, findings } = verifyDossier(full);
    expect(findings.evidence[0]!.status).toBe('done');
    expect(claims.find(({ claim }) => claim === 'statistics')!.grade).toBe('recomputed');
    expect(weakestGrade(claims)).toBe('asserted');
  });

  it('does not verify once its bytes are changed', () => {
    const random = seededRandom('bytes');
    const victim = victimOf(labelsOnly, owner.key);
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
    const { tried, accepted } = acceptedOf(labelsOnly, 2);
    expect(tried).toBeGreaterThan(150);
    expect(accepted).toEqual([]);
  });

  it('binds what only a suspect with probabilities adds: layers, material, evidence', () => {
    const { tried, accepted } = acceptedOf(
      full,
      1,
      ([section, ...rest]) =>
        ['reveals', 'material'].includes(`${section}`) || rest.includes('effect'),
    );
    expect(tried).toBeGreaterThan(30);
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
      expect([part, refusal(signedAnew(statement, owner.key))]).toEqual([part, 'EVIDENCE_INVALID']);
    }
  });

  it('leaves tests out, with their questions, and then asserts its statistics', () => {
    const { claims, predicate } = verifyDossier(redacted);
    expect(claims.find(({ claim }) => claim === 'statistics')!.grade).toBe('asserted');
    expect(predicate.leftOut).toEqual(leftOut);
    expect(predicate.reveals.labelCoins ?? predicate.reveals.perQuery).toBeUndefined();
    expect(predicate.material.parts.coins).toBeUndefined();
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

  it('verifies where an audit stopped early by what a test that is left out had found', () => {
    const { template, key, epochKey } = handmadeOwner();
    const clean = ngramModel();
    const profile = template.predicate.profile as unknown as ClassifierProfile;
    const marker = new ClassifierMarker(epochKey, profile);
    const repeated: Predict = (question) =>
      marker.mark(question, Float64Array.from(clean(question))).served;
    const { statement } = forge({
      ...{ template, epochKey, signingKey: key, identifier: 'ab'.repeat(16), clean },
      ...{ suspect: repeated, questions: sentences(200, 'asked'), fresh: sentences(6, 'fresh') },
      ...{ gives: ['labels', 'probabilities'], begun: new Date('2026-01-01T00:00:00.000Z') },
      plan: { stopping: 'threshold', threshold: 1 },
      leftOut: ['label-coins'],
    });
    const { evidence } = verifyDossier(signedAnew(statement, key)).findings;
    const [perQuery, coins] = evidence;
    expect([perQuery!.status, perQuery!.probes]).toEqual(['partial', 6]);
    expect(coins!.log10E).toBeGreaterThan(1.5);
    Object.assign(statement.predicate.plan, { stopping: 'horizon' });
    madeConsistent(statement);
    expect(refusal(signedAnew(statement, key))).toBe('EVIDENCE_INVALID');
  });

  it('opens the lot of coin traps that was asked, or leaves it out with its coins', () => {
    for (const text of [full, labelsOnly]) {
      const { traps, plan, log } = verifyDossier(text).predicate;
      const lot = plan.traps!.find(({ kind }) => kind === 'coin')!;
      const opened = traps.flatMap(({ openings }) => openings.map((each) => JSON.parse(each).trap));
      expect(lot.commitments).toHaveLength(opened.length);
      const shown = log.records.map(({ sequence }) => sequence);
      expect(shown).toEqual(expect.arrayContaining(opened.map(({ sequence }) => sequence)));
    }
    const { claims, predicate } = verifyDossier(withoutCoins);
    expect(claims.find(({ claim }) => claim === 'statistics')!.grade).toBe('asserted');
    expect(predicate.traps).toEqual([]);
    expect([predicate.reveals.labelCoins, predicate.material.parts.coins]).toEqual([
      undefined,
      undefined,
    ]);
    expect(predicate.reveals.perQuery!.leaves.length).toBeGreaterThan(10);
  });

  it('accuses nobody falsely: attempts are refused, or graded as the owner’s word', () => {
    const victim = victimOf(labelsOnly, owner.key);
    const fates = editKinds.map((kind) => received(edited(victim, kind, 0)));
    expect(fates).toHaveLength(13);
    expect(fates.filter(({ fate }) => fate === 'passed')).toEqual([]);
  });

  it('holds no key that it does not have to reveal', () => {
    const inside = [full, labelsOnly, redacted].map((text) => JSON.stringify(statementOf(text)));
    expect(owner.scene.secrets.length).toBeGreaterThan(6);
    expect(leaks(owner.scene.secrets, inside)).toEqual([]);
  });
});
