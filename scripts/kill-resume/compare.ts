import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { AuditOptions } from '../../src/operations/audit.ts';
import { openAudit } from '../../src/operations/audit-preparation.ts';
import type { AuditReport } from '../../src/report/model.ts';

/** Returns the question of each probe of an audit, by the probe's id. */
export async function questionsById(options: AuditOptions): Promise<ReadonlyMap<string, string>> {
  const { records } = await openAudit(options);
  const { fresh } = JSON.parse(readFileSync(join(options.out, 'material.json'), 'utf8')) as {
    fresh: readonly { readonly input: string }[];
  };
  return new Map([
    ...fresh.map(({ input }, index) => [`fresh/${index}`, input] as const),
    ...records.map(({ sequence, input }) => [`log/${sequence}`, String(input)] as const),
  ]);
}

/** Returns the ids of probes in complete lines of the run log. */
export function answeredIn(out: string): string[] {
  const path = join(out, 'answers.jsonl');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line): string => JSON.parse(line).payload.id);
}

/** Returns how often each text stands in a list. */
export function counted(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

/** Returns how many texts were counted. */
export function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

/**
 * Returns a report without times and what is said of them, what sessions cost, the plan's name, and
 * digests of all these.
 */
export function comparable(report: AuditReport): Readonly<Record<string, unknown>> {
  const { startedAt: _, finishedAt: __, dossier, budget, checks, ...rest } = report;
  const { seconds: ___, requests: ____, retries: _____, ...run } = rest.run;
  const { likelyCaching: ______, notes: _______, ...answers } = checks ?? {};
  const limits = { ...budget, spent: null };
  const plan = { ...rest.plan, hash: null, sealedAt: null };
  const custody = rest.custody?.map(({ what }) => what);
  return JSON.parse(
    JSON.stringify({
      ...rest,
      plan,
      run,
      custody,
      limits,
      answers,
      dossier: dossier?.keyIdentifier,
    }),
  );
}

/** Returns the names of the parts in which two comparable reports differ. */
export function differences(
  report: ReturnType<typeof comparable>,
  expected: ReturnType<typeof comparable>,
): string[] {
  const names = new Set([...Object.keys(report), ...Object.keys(expected)]);
  return [...names].filter((name) => !isDeepStrictEqual(report[name], expected[name]));
}
