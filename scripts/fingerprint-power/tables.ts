import { isComparable } from '../../src/audit/fingerprinting/ability.ts';
import { quirkWeight } from '../../src/fingerprints/quirk-weights.ts';
import { surrogateKinds, type TaskName } from '../zoo/manifest.ts';
import type { MemberFindings, ModelFinding } from './measure-member.ts';
import {
  bothKinds,
  type NullCheck,
  nullCheck,
  type Power,
  powerOf,
  quirksOf,
  together,
} from './summarise.ts';

const titles: Readonly<Record<TaskName, string>> = {
  images: 'Fashion-MNIST',
  languages: 'Language identification',
};
/** The quirks that count were chosen on these members of the zoo; the others judge. */
const development = [1, 2];

/** Returns the Markdown of everything that was measured on members of one task. */
export function taskTables(task: TaskName, members: readonly MemberFindings[]): string {
  const own = members.filter(({ plan }) => plan.task === task);
  const quirks = [...quirksOf(own), together];
  return [
    `### ${titles[task]}`,
    ...[true, false].flatMap((isDevelopment) => {
      const some = own.filter(({ plan }) => development.includes(plan.number) === isDevelopment);
      if (some.length === 0) return [];
      const numbers = some.map(({ plan }) => plan.number).join(' and ');
      const purpose = isDevelopment ? 'on which the counted quirks were chosen' : 'which judge';
      return [
        `**Protected models ${numbers}, ${purpose}.** ${sizes(some)}`,
        abilities(some),
        quirkTable(some, quirks),
        nullTable(some, quirks),
      ];
    }),
    `**By kind of surrogate**, all protected models: ${kindLegend}`,
    kindTable(own, quirks),
  ].join('\n\n');
}

function sizes(members: readonly MemberFindings[]): string {
  const count = (holds: (model: ModelFinding) => boolean) =>
    members.reduce((sum, { models }) => sum + models.filter(holds).length, 0);
  const [{ references } = { references: { same: 0, other: 0 } }] = members;
  return `${count(({ truth }) => truth === 'surrogate')} surrogates, ${count(({ truth }) => truth === 'same-data independent')} independents of the same data and ${count(({ truth }) => truth === 'other-data independent')} of other data; ranked among ${references.same} and ${references.other} references, so that p is ${(1 / (Math.min(references.same, references.other) + 1)).toFixed(3)} at least.`;
}

function abilities(members: readonly MemberFindings[]): string {
  return members
    .map(({ plan, ability }) => {
      const kind = plan.units === 0 ? 'linear' : `network of ${plan.units} units`;
      const { protectedModel, least, most } = ability;
      const verdict = isComparable(ability)
        ? 'quirks count'
        : 'too unlike its references, so that no quirk counts';
      return `- Model ${plan.number} (${kind}) is right on ${decimal(protectedModel)} of traffic, four fifths of its references on ${decimal(least)} to ${decimal(most)}: ${verdict}.`;
    })
    .join('\n');
}

function decimal(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

function quirkTable(members: readonly MemberFindings[], quirks: readonly string[]): string {
  const cells = (power: Power | undefined) =>
    power === undefined
      ? ['', '', '']
      : [
          `${power.area.same.toFixed(2)} / ${power.area.other.toFixed(2)}`,
          `${percent(power.found.same)} / ${percent(power.found.other)}`,
          power.log10E.toFixed(2),
        ];
  return table(
    [
      ...['quirk', 'weight', 'AUC, taught by probabilities', 'found', 'mean log10 E'],
      ...['AUC, taught by labels', 'found', 'mean log10 E'],
    ],
    quirks.map((quirk) => [
      ...[quirk, weightText(quirk)],
      ...cells(powerOf(members, quirk, isSoft)),
      ...cells(powerOf(members, quirk, (model) => !isSoft(model))),
    ]),
  );
}

function nullTable(members: readonly MemberFindings[], quirks: readonly string[]): string {
  const rate = (share?: number, interval?: NullCheck['largeInterval']) =>
    share === undefined || interval === undefined
      ? '-'
      : `${percent(share)} (${percent(interval.lower)} to ${percent(interval.upper)})`;
  const rows = quirks.flatMap((quirk) =>
    bothKinds.flatMap((kind) => {
      const all = nullCheck(members, quirk, kind);
      const familiar = nullCheck(members, quirk, kind, (model) => model.familiar);
      const others = nullCheck(members, quirk, kind, (model) => !model.familiar);
      if (all === undefined) return [];
      return [
        [
          ...[quirk, kind, String(all.models), all.meanE.toFixed(2), percent(all.atLeast5)],
          ...[percent(all.atLeast10), rate(all.large, all.largeInterval)],
          rate(all.small, all.smallInterval),
          familiar?.small === undefined ? '-' : percent(familiar.small),
          others?.small === undefined ? '-' : percent(others.small),
          familiar?.superUniformP?.toFixed(2) ?? '-',
        ],
      ];
    }),
  );
  return table(
    [
      ...['quirk', 'independents', 'models', 'mean E', 'E >= 5', 'E >= 10', 'E >= 20'],
      'p <= .05',
      ...['of families that references have', 'of others', 'KS p, familiar'],
    ],
    rows,
  );
}

const kindLegend =
  'AUC against independents of the same data, share found at 5% false accusations of both kinds, mean log10 E.';

function kindTable(members: readonly MemberFindings[], quirks: readonly string[]): string {
  return table(
    ['surrogate', ...quirks],
    surrogateKinds.map(({ name }) => [
      name,
      ...quirks.map((quirk) => {
        const power = powerOf(members, quirk, ({ kind }) => kind === name);
        if (power === undefined) return '-';
        const found = Math.min(power.found.same, power.found.other);
        return `${power.area.same.toFixed(2)}, ${percent(found)}, ${power.log10E.toFixed(1)}`;
      }),
    ]),
  );
}

function weightText(quirk: string): string {
  if (quirk === together) return '1';
  return quirkWeight(quirk) > 0 ? quirkWeight(quirk).toFixed(2) : 'descriptive';
}

function isSoft({ kind }: ModelFinding): boolean {
  return surrogateKinds.find(({ name }) => name === kind)?.soft === true;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)}%`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
