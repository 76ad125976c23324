import { attributionCases, attributionRows } from '../text-attribution.ts';
import { type AuditScene, buildAuditScene } from './audit-suspects.ts';
import { auditCaseOf, tryAudits } from './audits.ts';
import { textCaseOf } from './cases.ts';
import type { Counts } from './counts.ts';
import { readTextPool, type TextPool } from './pool.ts';
import { type Block, tryFixedKey, trySets, tryTexts, tryWithoutDeduplication } from './trials.ts';

/** A piece of work for one process; `name` is of a case of texts, audits or attribution. */
export type Job = Block & { readonly name: string } & (
    | { readonly task: 'texts' | 'sets' | 'control' | 'audits' | 'attribution' }
    | { readonly task: 'fixed key'; readonly key: number }
  );

/** Does jobs in this process; what they need is made when first needed. */
export class Worker {
  #pool: Promise<TextPool> | undefined;
  #scene: Promise<AuditScene> | undefined;

  async do(job: Job): Promise<Counts> {
    if (job.task === 'attribution') return tryAttribution(job);
    if (job.task === 'audits') {
      this.#scene ??= buildAuditScene(job.seed);
      return tryAudits(auditCaseOf(job.name), job, await this.#scene);
    }
    this.#pool ??= readTextPool();
    const pool = await this.#pool;
    const textCase = textCaseOf(job.name);
    switch (job.task) {
      case 'texts':
        return tryTexts(textCase, job, pool);
      case 'sets':
        return trySets(textCase, job, pool);
      case 'control':
        return tryWithoutDeduplication(textCase, job, pool);
      case 'fixed key':
        return tryFixedKey(textCase, job.key, job, pool);
    }
  }
}

function tryAttribution({ name, seed, from, to }: Job): Counts {
  const setting = attributionCases.find((each) => each.name === name);
  if (!setting) throw new RangeError(`there is no attribution case ${name}`);
  const rows = attributionRows(setting, to - from, `${seed}/from ${from}`);
  return Object.fromEntries(
    rows.map(({ name: row, nominal, count, trials }) => [row, { nominal, hits: count, trials }]),
  );
}
