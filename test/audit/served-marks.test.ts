import { expect, it } from 'vitest';
import { requireServedMarks } from '../../src/audit/served-marks.ts';
import type { ServedRecord } from '../../src/contracts.ts';
import { ClassifierMarker } from '../../src/watermark/classifier-marker.ts';
import type { ClassifierProfile } from '../../src/watermark/classifier-profile.ts';

const profile: ClassifierProfile = {
  schema: 'touchmark/classifier-profile@2',
  labels: ['a', 'b', 'c'],
  features: { kind: 'text', ngrams: { dimensions: 64, shortest: 1, longest: 2, seed: 0 } },
  markedClasses: [0, 1, 2],
  linearCarriers: 8,
  fourierCarriers: 0,
  bandwidth: 1,
  smoothStrength: 0.3,
  perQueryStrength: 0.1,
  marginThreshold: 0.2,
};
const key = new Uint8Array(32).fill(7);
const records = Array.from({ length: 12 }, (_, sequence): ServedRecord => {
  const input = `question ${sequence}`;
  const clean = sequence % 2 === 0 ? [0.5, 0.4, 0.1] : [0.7, 0.2, 0.1];
  const marked = new ClassifierMarker(key, profile).mark(input, Float64Array.from(clean));
  return {
    sequence,
    tenant: 'acme',
    epoch: 'e1',
    servedAt: '2026-01-01T00:00:00Z',
    modelVersion: '1',
    input,
    clean,
    served: Array.from(marked.served),
    label: marked.label,
    marks: marked.marks,
  };
});

it('accepts records of this key and profile', () => {
  expect(() => requireServedMarks(records, key, profile)).not.toThrow();
  expect(() => requireServedMarks([], key, profile)).not.toThrow();
});

it.each([
  ['another key', new Uint8Array(32).fill(8), profile],
  ['another strength', key, { ...profile, smoothStrength: 0.31 }],
  ['other labels', key, { ...profile, labels: ['a', 'b'], markedClasses: [0, 1] }],
])('refuses them with %s', (_, otherKey, otherProfile) => {
  expect(() => requireServedMarks(records, otherKey, otherProfile)).toThrow(
    /record 0 of the serving log was not marked with the key and the profile at hand/,
  );
});

it('names the one record that was edited', () => {
  const edited = records.map((record) =>
    record.sequence === 5 ? { ...record, served: record.served.toReversed() } : record,
  );
  expect(() => requireServedMarks(edited, key, profile)).toThrow(/record 5 /);
});
