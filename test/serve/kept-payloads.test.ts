import { describe, expect, it } from 'vitest';
import type { LoggedAnswer } from '../../src/contracts.ts';
import { keptPayloads, type LogMode } from '../../src/serve/kept-payloads.ts';
import { keyOf } from '../watermark/fixtures.ts';

const keys = () => ({
  currentEpoch: () => ({ epoch: 'e1', commitment: '' }),
  epochKey: (tenant: string, epoch: string) => keyOf(`${tenant} ${epoch}`),
});
const keepsOf = (mode: LogMode, sampleShare = 0.1) => keptPayloads({ mode, sampleShare, keys });
const place = { tenant: 'acme', epoch: 'e1', servedAt: '', modelVersion: '1' };
const classified = (input: string, coin = false): LoggedAnswer => ({
  ...place,
  input,
  clean: [0.5, 0.5],
  served: [0.5, 0.5],
  label: 0,
  marks: { probability: true, ...(coin && { coin: { top: 0, second: 1, outcome: 0 } as const }) },
});
const written = (request: string): LoggedAnswer => ({
  ...place,
  request,
  texts: ['text'],
  marks: { text: 'drafts' },
});
const questions = Array.from({ length: 4000 }, (_, index) => `question ${index}`);

describe('what the log keeps', () => {
  it('is everything, or nothing', () => {
    for (const answer of [classified('x'), classified('x', true), written('x')]) {
      expect(keepsOf('all')(answer)).toBe(true);
      expect(keepsOf('commitments')(answer)).toBe(false);
    }
  });

  it.each([
    ['classified', classified],
    ['written', written],
  ])('is a tenth of %s answers in the sample', (_, answer) => {
    const kept = questions.filter((question) => keepsOf('eligible')(answer(question)));
    expect(kept.length).toBeGreaterThan(400 - 4 * 19);
    expect(kept.length).toBeLessThan(400 + 4 * 19);
  });

  it('is every question that a coin answered, whatever the sample', () => {
    const keeps = keepsOf('eligible', 0);
    expect(questions.every((question) => keeps(classified(question, true)))).toBe(true);
    expect(questions.some((question) => keeps(classified(question)))).toBe(false);
  });

  it('is the same for a question that comes again, and another sample for another tenant', () => {
    const keeps = keepsOf('eligible', 0.5);
    const chosen = (tenant: string) =>
      questions.map((question) => keeps({ ...classified(question), tenant }));
    expect(chosen('acme')).toEqual(chosen('acme'));
    const other = chosen('bolt');
    const both = chosen('acme').filter((kept, index) => kept && other[index]).length;
    expect(both).toBeLessThan(1000 + 4 * 28);
    expect(keeps(classified('é'))).toBe(keeps(classified('é'.normalize('NFD'))));
  });
});
