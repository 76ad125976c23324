import type { MemberSummary, ModelSummary } from './summary.ts';

/** Returns the Markdown tables of what the zoo holds: one for each task, a column for each member. */
export function zooTables(members: readonly MemberSummary[]): string {
  const scenes = [...new Set(members.map(({ scene }) => scene))];
  return scenes
    .map((scene) => sceneTable(members.filter((member) => member.scene === scene)))
    .join('\n\n');
}

function sceneTable(members: readonly MemberSummary[]): string {
  const rows = members.map(groupsOf);
  const names = [...new Set(rows.flatMap((groups) => [...groups.keys()]))];
  const header = members.map(({ task, number }) => `${task}/${number}`);
  const lines = names.map((name) => [name, ...rows.map((groups) => cell(groups.get(name) ?? []))]);
  const totals = members.map(({ models }) => {
    const of = (truth: string) => models.filter((model) => model.truth === truth).length;
    return `${of('surrogate')} surrogates, ${of('same-data independent')} + ${of('other-data independent')} independents`;
  });
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    'Accuracy on traffic, and agreement with the protected model in brackets; means over the models of a kind, with their number where there are several.',
    '',
    line([members[0]!.scene, ...header]),
    line(['---', ...header.map(() => '---')]),
    ...lines.map(line),
    line(['all', ...totals]),
  ].join('\n');
}

function groupsOf({ models }: MemberSummary): Map<string, ModelSummary[]> {
  const groups = new Map<string, ModelSummary[]>();
  for (const model of models) {
    const name = model.truth === 'protected' ? 'protected model' : `${model.truth}: ${model.kind}`;
    groups.set(name, [...(groups.get(name) ?? []), model]);
  }
  return groups;
}

function cell(models: readonly ModelSummary[]): string {
  const [first] = models;
  if (first === undefined) return '-';
  const mean = (value: (model: ModelSummary) => number) =>
    percent(models.reduce((sum, model) => sum + value(model), 0) / models.length);
  const accuracy = mean((model) => model.accuracy);
  if (first.truth === 'protected') return `${accuracy}, ${first.kind}`;
  const shares = `${accuracy} (${mean((model) => model.agreement)})`;
  return models.length > 1 ? `${shares}, ${models.length}` : shares;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
