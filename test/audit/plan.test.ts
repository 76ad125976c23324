import { describe, expect, it } from 'vitest';
import { type AuditPlan, parseSealedPlan, sealPlan } from '../../src/audit/plan.ts';

const digest = `sha256:${'0'.repeat(64)}`;
const plan: AuditPlan = {
  schema: 'touchmark/audit-plan@3',
  sealedAt: '2026-01-01T00:00:00Z',
  suspect: 'http:http://127.0.0.1:9',
  gives: ['labels', 'probabilities'],
  reading: `sha256:${'0'.repeat(64)}`,
  tenant: 'acme',
  epoch: '2026-01',
  epochCommitment: digest,
  profile: digest,
  protectedModel: { name: 'model', version: '1' },
  labels: ['a', 'b'],
  tests: ['label-coins'],
  log: { entries: 3, head: 'head' },
  material: digest,
  probes: { logged: 2, fresh: 1 },
  threshold: 6,
  multiplicity: [{ reason: 'one of 2 tenants is named', bans: 0.3 }],
  assumptions: [],
  beacon: null,
  toolkit: '0.1.0',
};
const text = JSON.stringify(sealPlan(plan));

describe('sealPlan', () => {
  it('hashes the content, whatever the order of its keys', () => {
    const reversed = Object.fromEntries(Object.entries(plan).reverse()) as AuditPlan;
    expect(sealPlan(reversed).hash).toBe(sealPlan(plan).hash);
    expect(sealPlan(plan).hash).toBe(
      'sha256:fb7eb47150c2cbdcd5f445346090e1fa2f920913d9b7df246a7fe9e63f0d71ff',
    );
  });

  it('changes with every field', () => {
    const { hash } = sealPlan(plan);
    const changed: Partial<AuditPlan>[] = [
      { threshold: 5 },
      { tenant: 'other' },
      { tests: ['label-coins', 'probability-signs'] },
      { multiplicity: [] },
      { assumptions: ['assumed'] },
      { beacon: 'round 7' },
      { probes: { logged: 1, fresh: 2 } },
    ];
    const hashes = changed.map((change) => sealPlan({ ...plan, ...change }).hash);
    expect(new Set([hash, ...hashes]).size).toBe(changed.length + 1);
  });
});

describe('parseSealedPlan', () => {
  it('reads back what was sealed', () => {
    expect(parseSealedPlan(text, 'plan.json')).toEqual(sealPlan(plan));
  });

  it.each([
    ['a lower threshold', text.replace('"threshold":6', '"threshold":2')],
    ['a forgiven charge', text.replace('0.3', '0.1')],
    ['another hash', text.replace(/sha256:[0-9a-f]{64}"}$/, `${digest}"}`)],
  ])('refuses %s', (_, tampered) => {
    expect(tampered).not.toBe(text);
    expect(() => parseSealedPlan(tampered, 'plan.json')).toThrow(
      expect.objectContaining({ code: 'PLAN_INVALID', message: expect.stringMatching(/changed/) }),
    );
  });

  it.each([
    ['no JSON', '{'],
    ['a foreign field', text.replace('"threshold"', '"extra":1,"threshold"')],
    ['a newer schema', text.replace('audit-plan@3', 'audit-plan@5')],
    ['a missing field', text.replace('"tenant":"acme",', '')],
  ])('refuses %s', (_, broken) => {
    expect(() => parseSealedPlan(broken, 'plan.json')).toThrow(
      expect.objectContaining({
        code: 'PLAN_INVALID',
        message: expect.stringMatching(/plan.json is not a sealed audit plan/),
      }),
    );
  });
});
