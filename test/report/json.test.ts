import { describe, expect, test } from 'vitest';
import { sampleReports } from '../../scripts/report-sample.ts';
import { TouchmarkError } from '../../src/errors.ts';
import { parseReport, renderJson } from '../../src/report/json.ts';
import type { AuditReport } from '../../src/report/model.ts';
import { hostileReport } from './hostile.ts';

const [match] = sampleReports as [AuditReport];
const fingerprint = sampleReports.find((report) => report.fingerprint)!.fingerprint!;
const [quirk] = fingerprint.quirks;

function refusal(action: () => unknown): TouchmarkError {
  try {
    action();
  } catch (error) {
    if (error instanceof TouchmarkError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

function edited(change: object): string {
  return JSON.stringify({ ...match, ...change });
}

function fingerprinted(change: object): string {
  return edited({ fingerprint: { ...fingerprint, ...change } });
}

function quirked(change: object): string {
  return fingerprinted({ quirks: [{ ...quirk, ...change }] });
}

describe('renderJson and parseReport', () => {
  test('every sample and the hostile report survive the round trip', () => {
    for (const report of [...sampleReports, hostileReport()]) {
      expect(parseReport(renderJson(report))).toEqual(report);
    }
  });

  test('the text does not depend on the order of keys and ends in one newline', () => {
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .toReversed()
          .map(([key, inner]) => [key, reversed(inner)]),
      );
    };
    const text = renderJson(match);
    expect(renderJson(reversed(match) as AuditReport)).toBe(text);
    expect(text).toMatch(/^\{\n {2}"schema": "touchmark\/audit-report@2",\n/);
    expect(text).toMatch(/[^\n]\n$/);
  });

  test('characters that steer a terminal are written as escapes', () => {
    expect(renderJson(hostileReport())).not.toMatch(/[^\P{C}\n]/u);
  });

  test('a newer schema is refused by name', () => {
    const error = refusal(() => parseReport(edited({ schema: 'touchmark/audit-report@3' })));
    expect(error.code).toBe('EVIDENCE_INVALID');
    expect(error.message).toContain('touchmark/audit-report@3');
    expect(error.hint).toContain('newer');
  });

  test.each([
    ['not JSON', '{"schema": ', 'not JSON'],
    ['another document', '{"schema":"touchmark/demo@1"}', 'touchmark/demo@1'],
    ['no schema', '[1, 2]', 'no schema'],
    ['no object', 'null', 'no schema'],
    ['a missing field', edited({ tenant: undefined }), 'tenant'],
    ['an unknown verdict', edited({ verdict: 'innocent' }), 'verdict'],
    ['a match below the threshold', edited({ plan: { ...match.plan, threshold: 200 } }), 'verdict'],
    ['a score that does not add up', edited({ score: 99 }), 'score'],
    ['a short hash', edited({ plan: { ...match.plan, hash: 'sha256:12' } }), 'plan.hash'],
    [
      'counted descriptive evidence',
      edited({ evidence: match.evidence.map((test) => ({ ...test, counted: true })) }),
      'evidence.3.counted',
    ],
    [
      'a ragged confusion table',
      edited({ confusion: { labels: ['a', 'b'], counts: [[1, 2], [3]] } }),
      'confusion.counts',
    ],
    ['another name', fingerprinted({ protectedModel: 'fingerprint-12' }), 'protectedModel'],
    ['no smallest p', fingerprinted({ references: { same: 1, other: 1 } }), 'smallestP'],
    ['more answers than questions', fingerprinted({ answered: 1201 }), 'fingerprint.answered'],
    ['a steadiness above 1', fingerprinted({ steadiness: 1.01 }), 'fingerprint.steadiness'],
    [
      'weights above 1',
      fingerprinted({ quirks: [0.5, 0.5, 1e-8].map((weight) => ({ ...quirk, weight })) }),
      'fingerprint.quirks',
    ],
    ['a p of 0', quirked({ pSame: 0 }), 'quirks.0.pSame'],
    ['a p above 1', quirked({ pOther: 1.1 }), 'quirks.0.pOther'],
    ['a reference that is no number', quirked({ same: [0, null] }), 'quirks.0.same.1'],
    ['a suspect without statistic and reason', quirked({ suspect: null }), 'quirks.0.why'],
  ])('%s is refused, naming the place', (_, text, place) => {
    const error = refusal(() => parseReport(text));
    expect(error.code).toBe('EVIDENCE_INVALID');
    expect(error.message).toContain(place);
    expect(error.hint).not.toBe('');
    expect(error.message).not.toMatch(/[^\P{C}\n]/u);
  });

  test('numbers that JSON cannot hold are refused when writing', () => {
    const broken = { ...match, score: Number.NaN };
    expect(refusal(() => renderJson(broken)).message).toContain('score');
    const endless = { ...quirk!, same: [Number.POSITIVE_INFINITY] };
    const report = { ...match, fingerprint: { ...fingerprint, quirks: [endless] } };
    expect(refusal(() => renderJson(report)).message).toContain('quirks.0.same.0');
  });

  test('weights that miss 1 by rounding are accepted', () => {
    const quirks = Array.from({ length: 10 }, () => ({ ...quirk!, weight: 0.1 + 1e-11 }));
    expect(parseReport(fingerprinted({ quirks })).fingerprint?.quirks).toHaveLength(10);
  });
});
