import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { SealedPlan } from '../../src/audit/plan.ts';
import { openRunLog } from '../../src/ledger/run-log.ts';
import { readAnswers } from '../../src/operations/audit-answers.ts';

it('counts labels outside the set over all sessions, and keeps answers to what nobody was served', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'touchmark-answers-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const hash = `sha256:${'0'.repeat(64)}`;
  const sessions = [
    [
      ['fresh/0', { answer: { label: 'oak' } }],
      ['log/4', { answer: { label: 'palm' } }],
      ['fresh/1', { missing: 'refused' }],
    ],
    [
      ['trap/region-1/0/2', { answer: { label: 'palm' } }],
      ['repeat/fresh/0', { answer: { label: 'palm' } }],
    ],
  ] as const;
  for (const session of sessions) {
    const log = await openRunLog(directory, hash);
    await log.record(session.map(([id, outcome]) => ({ probe: { id }, outcome })));
    await log.close();
  }
  const plan = { labels: ['oak', 'fir'] } as unknown as SealedPlan['plan'];
  const { outsideLabels, unserved } = await readAnswers(directory, { plan, hash });
  expect(outsideLabels).toBe(2);
  expect([...unserved].map(([id, { label }]) => [id, label])).toEqual([
    ['fresh/0', 'oak'],
    ['fresh/1', undefined],
    ['trap/region-1/0/2', 'palm'],
  ]);
  expect(Date.parse(unserved.get('fresh/0')!.at)).toBeLessThanOrEqual(Date.now());
});
