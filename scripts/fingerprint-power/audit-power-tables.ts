import type { TaskName } from '../zoo/manifest.ts';
import { surrogateKinds } from '../zoo/manifest.ts';
import {
  type ChangeIntervals,
  changeIntervals,
  type PowerChange,
  powerChange,
} from './audit-power-change.ts';
import {
  type ApiShape,
  apiShapes,
  innocentCheck,
  type MeasuredMember,
  subjectsOf,
} from './audit-power-subjects.ts';

/** The bar: fingerprints may not lower power by more than this. */
const tolerated = 0.02;
/** The quirks that count were chosen on members 1 and 2 of the zoo; the others judge. */
const groups = [
  { name: '1 and 2', numbers: [1, 2] },
  { name: '3 and 4', numbers: [3, 4] },
  { name: 'all', numbers: [1, 2, 3, 4] },
];

/** Returns the Markdown of what fingerprints do to the power of audits of one task. */
export function auditPowerTables(task: TaskName, members: readonly MeasuredMember[]): string {
  const own = members.filter(({ audits }) => audits.plan.task === task);
  const present = groups
    .map(({ name, numbers }) => ({
      name,
      members: own.filter(({ audits }) => numbers.includes(audits.plan.number)),
    }))
    .filter(({ name, members: some }) => some.length > (name === 'all' ? 2 : 0));
  const rows = present.flatMap(({ name, members: some }) => changesOf(name, some));
  return [
    powerTable(rows),
    falls(rows),
    kindTable(own),
    ...present.map(
      ({ name, members: some }) =>
        `Independents of protected models ${name}, each under ${keysOf(some)} keys:\n\n${innocentTable(some)}`,
    ),
  ].join('\n\n');
}

interface ChangeRow {
  readonly group: string;
  readonly shape: ApiShape;
  readonly questions: number;
  readonly all: PowerChange;
  readonly intervals: ChangeIntervals;
  readonly soft: PowerChange | undefined;
  readonly labels: PowerChange | undefined;
}

function changesOf(group: string, members: readonly MeasuredMember[]): ChangeRow[] {
  return apiShapes.flatMap((shape) => {
    const subjects = subjectsOf(members, shape);
    return sizesOf(members).flatMap((questions, size) => {
      const all = powerChange({ subjects, size });
      if (all === undefined) return [];
      const soft = powerChange({ subjects, size, chosen: (each) => each.soft });
      const labels = powerChange({ subjects, size, chosen: (each) => !each.soft });
      const intervals = changeIntervals({ subjects, size });
      return [{ group, shape, questions, all, intervals, soft, labels }];
    });
  });
}

function powerTable(rows: readonly ChangeRow[]): string {
  return table(
    [
      ...['protected models', 'API gives', 'questions', 'surrogates', 'bans for 1%'],
      ...['found without', 'with', 'difference', '95%', 'innocents redrawn too', 'ties drawn'],
      ...['taught by probabilities', 'taught by labels', 'score >= 2'],
    ],
    rows.map(({ group, shape, questions, all, intervals, soft, labels }) => [
      ...[group, shape, String(questions), String(all.surrogates)],
      `${all.thresholds.without.above.toFixed(2)}, ${all.thresholds.with.above.toFixed(2)}`,
      ...[all.without.toFixed(3), all.with.toFixed(3), signed(all.with - all.without)],
      ...[interval(intervals.surrogates), interval(intervals.everybody), signed(all.untied)],
      ...[change(soft), change(labels), change(all.nominal)],
    ]),
  );
}

function falls(rows: readonly ChangeRow[]): string {
  const lines = rows.flatMap(({ group, shape, questions, ...changes }) =>
    (['all', 'soft', 'labels'] as const).flatMap((kind) => {
      const found = changes[kind];
      if (found === undefined || found.with - found.without >= -tolerated) return [];
      const who =
        kind === 'all' ? 'all' : `those taught by ${kind === 'soft' ? 'probabilities' : 'labels'}`;
      return [
        `- models ${group}, ${shape}, ${questions} questions, ${who}: ${change(found)}, ${signed(found.with - found.without)}`,
      ];
    }),
  );
  const title = `Power falls by more than ${tolerated}`;
  return lines.length === 0 ? `${title} nowhere.` : `${title}:\n\n${lines.join('\n')}`;
}

function kindTable(members: readonly MeasuredMember[]): string {
  const sizes = sizesOf(members);
  const columns = apiShapes.flatMap((shape) => {
    const subjects = subjectsOf(members, shape);
    return [...sizes.entries()]
      .slice(-2)
      .map(([size, questions]) => ({ shape, size, questions, subjects }));
  });
  return table(
    ['surrogate', ...columns.map(({ shape, questions }) => `${shape}, ${questions}`)],
    surrogateKinds.map(({ name }) => [
      name,
      ...columns.map(({ size, subjects }) =>
        change(powerChange({ subjects, size, chosen: ({ kind }) => kind === name })),
      ),
    ]),
  );
}

function innocentTable(members: readonly MeasuredMember[]): string {
  const sizes = sizesOf(members);
  const kinds = (['same', 'other'] as const).flatMap((data) =>
    [true, false].map((familiar) => ({ data, familiar })),
  );
  return table(
    [
      ...[
        'API gives',
        'independents',
        'families that references have',
        'models',
        'mean E',
        'E >= 20',
      ],
      ...sizes.map((questions) => `score >= 2 without, with, ${questions}`),
    ],
    apiShapes.flatMap((shape) => {
      const subjects = subjectsOf(members, shape);
      return kinds.flatMap(({ data, familiar }) => {
        const own = subjects.filter(
          (each) => each.truth === `${data}-data independent` && each.familiar === familiar,
        );
        if (own.length === 0) return [];
        const check = innocentCheck(own, sizes.length);
        return [
          [
            ...[shape, `${data} data`, familiar ? 'yes' : 'no', String(check.models)],
            ...[check.meanE.toFixed(2), String(check.largeFingerprints)],
            ...sizes.map(
              (_, size) => `${percent(check.without[size]!)}, ${percent(check.with[size]!)}`,
            ),
          ],
        ];
      });
    }),
  );
}

function sizesOf([first]: readonly MeasuredMember[]): readonly number[] {
  return first?.audits.sizes ?? [];
}

function keysOf([first]: readonly MeasuredMember[]): number {
  const innocent = first?.audits.models.find(({ truth }) => truth !== 'surrogate');
  return innocent?.scores.labels.length ?? 0;
}

function change(found: Pick<PowerChange, 'without' | 'with'> | undefined): string {
  return found === undefined ? '-' : `${found.without.toFixed(2)} → ${found.with.toFixed(2)}`;
}

function interval([lower, upper]: readonly [number, number]): string {
  return `${signed(lower)} to ${signed(upper)}`;
}

function signed(value: number): string {
  const rounded = Number(value.toFixed(3)) + 0;
  return `${rounded > 0 ? '+' : ''}${rounded.toFixed(3)}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
