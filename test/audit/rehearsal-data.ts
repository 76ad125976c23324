import { type Rehearsal, rehearsedPoint } from '../../src/audit/rehearsal.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const families = ['network-0', 'network-64'];

/** A rehearsal whose students have these scores before charges, by budget. */
export function rehearsalOf(
  scores: Readonly<Record<number, readonly number[]>>,
  overrides: Partial<Rehearsal> = {},
): Rehearsal {
  return {
    schema: 'touchmark/rehearsal@1',
    at: '2026-03-01T00:00:00.000Z',
    toolkit: '0.1.0',
    profile: digest,
    protectedModel: { name: 'm', version: '1' },
    shape: 'labels',
    tests: ['label-coins', 'probability-signs'],
    assumptions: [],
    families,
    attacks: [],
    seed: '0'.repeat(64),
    questions: { source: 'file', count: 9000, digest },
    probes: { fresh: 100, logged: 5000, coins: 'all' },
    threshold: 6,
    charges: [{ reason: 'audit 1 of this suspect', bans: 0.5 }],
    budgets: Object.entries(scores).map(([answers, bans]) =>
      rehearsedPoint(
        Number(answers),
        bans.map((each, index) => ({
          ...{ family: families[index % 2]!, bans: each },
          ...{ logged: Number(answers), coins: Number(answers) / 50 },
        })),
        { threshold: 6, charged: 0.5 },
      ),
    ),
    controls: { source: 'clean answers', trained: 3, matched: 0, largest: -1 },
    quick: false,
    ...overrides,
  };
}

/** So many students that score `found` bans, then so many that score none. */
export function students(matched: number, missed: number, found = 9): number[] {
  return [...new Array<number>(matched).fill(found), ...new Array<number>(missed).fill(0)];
}
