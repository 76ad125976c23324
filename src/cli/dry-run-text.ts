import type { DryRun } from '../operations/audit-dry-run.ts';
import { grouped } from '../report/text.ts';
import { table } from './terminal.ts';

/** Returns a dry run as tables. */
export function dryRunText(planned: DryRun): string {
  const { probes, budget } = planned;
  const limits = Object.entries(budget).map(([name, value]) => `${name} ${value}`);
  const facts = [
    ['tenant, epoch', `${planned.tenant}, ${planned.epoch}: ${grouped(planned.answers)} answers`],
    [
      'probes',
      `${grouped(probes.logged)} logged, ${grouped(probes.fresh)} fresh, ${probes.coins} coins, ${probes.region} region traps`,
    ],
    ['seeded by', planned.seed],
    ['dated by', planned.timestampAuthority ?? 'nobody'],
    ['stops', `at the ${planned.stopping}; a match takes ${planned.threshold} bans`],
    ...planned.charges.map(({ reason, bans }) => [`charge ${bans.toFixed(1)}`, reason]),
    ['budget', limits.length === 0 ? 'none' : limits.join(', ')],
  ];
  const rows = planned.expected.map(({ gives, questions, requests, money, power }) => [
    gives.join(' and '),
    grouped(questions),
    grouped(requests),
    money === undefined ? '-' : money.toFixed(2),
    power,
  ]);
  const expected = table(['if it gives', 'questions', 'requests', 'cost', 'power'], rows);
  return `${table(['plan', planned.suspect], facts)}\n${expected}`;
}
