import { describe, it, vi } from 'vitest';
import { expectNull } from './null-checks.ts';

const sizes = { questions: 40, fresh: 16, replayed: 0 };
const tests = ['probability-per-query', 'label-coins'] as const;

vi.setConfig({ testTimeout: 180_000 });

describe('innocents under tenants that use what they are answered', () => {
  it('are not accused when questions follow from answers, over 2,000 keys', () => {
    expectNull('adaptive tenant', 2000, tests, sizes);
  });

  it('are not accused when the tenant stops as soon as it is ahead, over 2,000 keys', () => {
    expectNull('stop-when-ahead tenant', 2000, tests, sizes);
  });

  it('are not accused through questions asked many times in two spellings', () => {
    expectNull('repetitive tenant', 300, tests, { ...sizes, questions: 60 });
  });
});
