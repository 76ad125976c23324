import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { registerAudit, registeredAudits } from '../../src/store/audit-register.ts';
import { temporaryDirectory } from './directory.ts';

const audit = (plan: string) => ({
  sealedAt: '2026-01-02T03:04:05.678Z',
  suspect: 'http:http://127.0.0.1:1/classify',
  tenant: 'acme',
  plan,
});

it('lists sealed plans in order, in a private file that it makes itself', async () => {
  const path = join(temporaryDirectory(), '.touchmark', 'audits.jsonl');
  expect(await registeredAudits(path)).toEqual([]);
  await registerAudit(path, audit('sha256:1'));
  await registerAudit(path, audit('sha256:2'));
  expect(await registeredAudits(path)).toEqual([audit('sha256:1'), audit('sha256:2')]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it('keeps every plan of audits that begin at once', async () => {
  const path = join(temporaryDirectory(), 'audits.jsonl');
  const plans = Array.from({ length: 20 }, (_, number) => `sha256:${number}`);
  await Promise.all(plans.map((plan) => registerAudit(path, audit(plan))));
  const listed = await registeredAudits(path);
  expect(listed.map(({ plan }) => plan).sort()).toEqual(plans.sort());
});

it('names the line that cannot be read, for a lost line would be an audit not paid for', async () => {
  const path = join(temporaryDirectory(), 'audits.jsonl');
  await registerAudit(path, audit('sha256:1'));
  const whole = readFileSync(path, 'utf8');
  appendFileSync(path, whole.slice(0, 20));
  await expect(registeredAudits(path)).rejects.toMatchObject({
    code: 'STORE_DAMAGED',
    exitCode: 6,
    message: `${path}:2 is no registered audit.`,
  });
  writeFileSync(path, whole.replace('"acme"', '1'));
  await expect(registeredAudits(path)).rejects.toThrow(`${path}:1`);
});
