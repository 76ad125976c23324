import type { SealedPlan } from '../audit/plan.ts';
import { readRunLog } from '../ledger/run-log.ts';

/** An answer as the run log has it. */
export interface LoggedAnswer {
  /** Undefined where the suspect gave none. */
  readonly label: string | undefined;
  /** ISO 8601, UTC: when it was recorded. */
  readonly at: string;
}

/** What reports need of the answers of all sessions of a run. */
export interface LoggedAnswers {
  /** Answers to fresh questions and to region traps, by probe. */
  readonly unserved: ReadonlyMap<string, LoggedAnswer>;
  /** Answers whose label is not among the protected model's, second askings aside. */
  readonly outsideLabels: number;
}

/**
 * Reads the run log of an audit for what its report says of it, whichever session asked.
 *
 * @throws TouchmarkError STORE_DAMAGED as `readRunLog`
 */
export async function readAnswers(
  directory: string,
  { plan, hash }: SealedPlan,
): Promise<LoggedAnswers> {
  const labels = new Set(plan.labels);
  const unserved = new Map<string, LoggedAnswer>();
  let outsideLabels = 0;
  for await (const { entry } of readRunLog(directory, hash)) {
    const { id, at, outcome } = entry.payload;
    if (id.startsWith('repeat/')) continue;
    const label = 'answer' in outcome ? outcome.answer.label : undefined;
    if (label !== undefined && !labels.has(label)) outsideLabels += 1;
    if (/^(fresh|trap)\//.test(id)) unserved.set(id, { label, at });
  }
  return { unserved, outsideLabels };
}
