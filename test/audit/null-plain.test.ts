import { describe, it, vi } from 'vitest';
import { expectNull } from './null-checks.ts';

const tests = [
  'probability-per-query',
  'label-coins',
  'probability-signs',
  'probability-signs-replay',
] as const;
const sizes = { questions: 40, fresh: 16, replayed: 16 };

vi.setConfig({ testTimeout: 180_000 });

describe('innocents under a plain tenant', () => {
  it('are not accused by any keyed test nor by the score, over 2,000 keys', () => {
    expectNull('plain tenant', 2000, tests, sizes);
  });

  it('are not accused when they learned another key’s answers perfectly', () => {
    expectNull("student of another key's answers", 200, tests, sizes);
  });
});
