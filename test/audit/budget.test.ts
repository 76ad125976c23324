import { describe, expect, it } from 'vitest';
import { Budget, type BudgetLimits } from '../../src/audit/budget.ts';

/** How many requests of so many tokens each a budget admits, up to a hundred. */
function admitted(
  limits: BudgetLimits,
  tokens = 0,
  before?: ConstructorParameters<typeof Budget>[1],
) {
  const budget = new Budget(limits, before);
  let count = 0;
  try {
    for (; count < 100; count += 1) {
      budget.admit();
      budget.spend(tokens);
    }
  } catch (error) {
    return { count, error };
  }
  return { count };
}

describe('a budget', () => {
  it('ends a run resumably at each of its limits, and says how far it came', () => {
    expect(admitted({})).toEqual({ count: 100 });
    expect(admitted({ requests: 3 })).toMatchObject({
      count: 3,
      error: {
        code: 'RUN_INCOMPLETE',
        exitCode: 4,
        message: 'the audit has spent its budget of requests: 3 of 3',
        hint: expect.stringContaining('--resume'),
      },
    });
    expect(admitted({ tokens: 100 }, 40)).toMatchObject({
      count: 3,
      error: { message: 'the audit has spent its budget of tokens: 120 of 100' },
    });
    expect(admitted({ money: 0.3, pricePerRequest: 0.1 })).toMatchObject({
      count: 3,
      error: { message: 'the audit has spent its budget of money: 0.3 of 0.3' },
    });
    expect(admitted({ money: 1, pricePerThousandTokens: 10 }, 40)).toMatchObject({ count: 3 });
    expect(admitted({ seconds: 0 })).toMatchObject({ count: 0 });
  });

  it('goes on counting where earlier sessions stopped', () => {
    const before = { requests: 8, tokens: 950, seconds: 59 };
    expect(admitted({ requests: 10 }, 0, before).count).toBe(2);
    expect(admitted({ tokens: 1000 }, 40, before).count).toBe(2);
    expect(admitted({ seconds: 58 }, 0, before).count).toBe(0);
    expect(admitted({ seconds: 70 }, 0, before).count).toBe(100);
    const budget = new Budget({ pricePerRequest: 2, pricePerThousandTokens: 1 }, before);
    budget.admit();
    expect(budget.spending).toMatchObject({ requests: 9, tokens: 950, money: 18.95 });
  });

  it('needs a price to limit money', () => {
    expect(() => new Budget({ money: 5 })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});
