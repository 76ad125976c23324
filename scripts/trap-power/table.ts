import type { GroupOutcome, SetOutcome } from './measure.ts';
import type { Rates } from './recalibrate.ts';
import type { SceneOutcome } from './run-scene.ts';

/** Returns the Markdown tables of everything that was measured. */
export function trapPowerTables(scenes: readonly SceneOutcome[]): string {
  const remarks = scenes.flatMap((scene) => scene.remarks);
  return [
    scenes
      .map(
        ({ scene, accuracy, seed, reading }) =>
          `${scene}, seed ${seed}, references that read as the ${reading === 'protected' ? 'protected model' : 'library'} does: the protected model is right on ${percent(accuracy)} of traffic.`,
      )
      .join('\n'),
    ...scenes.flatMap(({ sets }) => [
      setsTable(sets),
      recalibrationTable(sets),
      lotsTable(sets),
      surrogatesTable(sets),
    ]),
    ...scenes.map(({ sets }) => familiesTable(sets)),
    ...(remarks.length > 0 ? [remarks.map((remark) => `- ${remark}`).join('\n')] : []),
  ].join('\n\n');
}

/** The smallest set of each source: what the first lots are worth. */
function smallest(sets: readonly SetOutcome[]): SetOutcome[] {
  const sources = [...new Set(sets.map(({ source }) => source))];
  return sources.map((source) => sets.find((set) => set.source === source)!);
}

function setsTable(sets: readonly SetOutcome[]): string {
  return table(
    [
      ...['task', 'source', 'false accusations, same data', 'other data', 'surrogates found'],
      ...['mean log10 E', 'bans counted', 'bans claimed', 'AUC', 'AUC of the pool', 'AUC claimed'],
    ],
    smallest(sets).map((set) => {
      const [same, other] = (['same-data independents', 'other-data independents'] as const).map(
        (group) => set.independents.find((each) => each.group === group)!,
      );
      return [
        ...[set.scene, set.source, interval(same!), interval(other!), percent(set.clones.rate)],
        ...[set.clones.log10E, set.clones.bans, set.claimed.bansPerLot].map((n) => n.toFixed(2)),
        ...[set.areaUnderCurve, set.areaOfPool, set.claimed.areaUnderCurve].map(
          (n) => n?.toFixed(2) ?? '-',
        ),
      ];
    }),
  );
}

function recalibrationTable(sets: readonly SetOutcome[]): string {
  const cells = ({ same, other, surrogates }: Rates) => [same, other, surrogates].map(percent);
  return table(
    [
      ...['task', 'source', 'references redrawn: same data', 'other data', 'found'],
      ...['ranked by size: same data', 'other data', 'found'],
    ],
    smallest(sets).map(({ scene, source, recalibration: { redrawn, bySize } }) => [
      ...[scene, source, ...cells(redrawn), ...cells(bySize)],
    ]),
  );
}

function lotsTable(sets: readonly SetOutcome[]): string {
  return table(
    [
      'task',
      'source',
      'lots',
      'traps in a lot',
      'surrogates found',
      'bans counted',
      'bans claimed',
      'AUC',
    ],
    sets.map((set) => [
      ...[set.scene, set.source, String(set.lots), String(set.traps / set.lots)],
      percent(set.clones.rate),
      ...[set.clones.bans, set.claimed.bansPerLot].map((n) => n.toFixed(2)),
      set.areaUnderCurve?.toFixed(2) ?? '-',
    ]),
  );
}

function surrogatesTable(sets: readonly SetOutcome[]): string {
  const shown = smallest(sets);
  return table(
    ['task', 'surrogate', ...shown.map(({ source }) => `found, ${source}`)],
    (shown[0]?.surrogates ?? []).map(({ group }, kind) => [
      shown[0]!.scene,
      group,
      ...shown.map(({ surrogates }) => `${percent(surrogates[kind]!.rate)}`),
    ]),
  );
}

function familiesTable(sets: readonly SetOutcome[]): string {
  const shown = smallest(sets);
  return table(
    ['task', 'independents', 'models', ...shown.map(({ source }) => `accused, ${source}`)],
    (shown[0]?.independents ?? []).map(({ group, models }, place) => [
      ...[shown[0]!.scene, group, String(models)],
      ...shown.map(({ independents }) => percent(independents[place]!.rate)),
    ]),
  );
}

function interval({ accused, models, lower95, upper95 }: GroupOutcome): string {
  return `${accused}/${models} (${percent(lower95)} to ${percent(upper95)})`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
