import { describe, expect, it } from 'vitest';
import { withTraps } from '../../src/audit/trapped-material.ts';

const shared = {
  fresh: [{ input: 'fresh', baselines: [] }],
  logged: [0, 2, 3, 5, 8].map((sequence) => ({ sequence, baselines: [] })),
};
const fallen = new Set([2, 5, 9, 11]);
const sequences = (rows: readonly { readonly sequence: number }[]) =>
  rows.map(({ sequence }) => sequence);

describe('withTraps', () => {
  it('shows every logged question, and its coins, where no coin traps are sealed', () => {
    const joined = withTraps(shared, fallen, { coins: 'all', regionLots: [] });
    expect(sequences(joined.logged)).toEqual([0, 2, 3, 5, 8]);
    expect(joined.coins).toEqual([2, 5]);
  });

  it('shows no coin question that is not claimed, and claimed ones beyond the prefix too', () => {
    const joined = withTraps(shared, fallen, { coins: new Set([11, 5]), regionLots: [] });
    expect(sequences(joined.logged)).toEqual([0, 3, 5, 8]);
    expect(joined.coins).toEqual([5, 11]);
    const none = withTraps(shared, fallen, { coins: new Set(), regionLots: [] });
    expect(sequences(none.logged)).toEqual([0, 3, 8]);
    expect(none.coins).toEqual([]);
  });
});
