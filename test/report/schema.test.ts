import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { sampleReports } from '../../scripts/report-sample.ts';
import { renderJson } from '../../src/report/json.ts';
import { auditReportJsonSchema } from '../../src/report/model.ts';
import { hostileReport } from './hostile.ts';

const file = join(import.meta.dirname, '../../docs/schemas/audit-report.json');
const published = JSON.parse(readFileSync(file, 'utf8')) as object;

/** Moments also carry a pattern, so that a validator without formats checks them too. */
const valid = new Ajv2020({ strictSchema: true, validateFormats: false }).compile(published);

describe('the published schema of reports', () => {
  test('is what scripts/report-schema.ts writes', () => {
    expect(published).toEqual(auditReportJsonSchema());
  });

  test('accepts every sample and the hostile report, as they are written', () => {
    for (const report of [...sampleReports, hostileReport()]) {
      expect(valid(JSON.parse(renderJson(report))), JSON.stringify(valid.errors)).toBe(true);
    }
  });

  test.each([
    ['another verdict', { verdict: 'innocent' }],
    ['a newer form', { schema: 'touchmark/audit-report@3' }],
    ['a moment in words', { startedAt: 'yesterday' }],
    [
      'an unknown grade',
      { custody: [{ at: '2026-05-04T09:12:20Z', what: 'x', digest: null, grade: 'sure' }] },
    ],
    [
      'a negative share',
      {
        checks: {
          repeated: 1,
          changedLabels: 0,
          largestChange: -1,
          likelyCaching: false,
          samples: false,
          notes: [],
        },
      },
    ],
  ])('refuses %s', (_, change) => {
    expect(valid({ ...sampleReports[0], ...change })).toBe(false);
  });
});
