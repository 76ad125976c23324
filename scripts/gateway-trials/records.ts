import { isDeepStrictEqual } from 'node:util';
import { TouchmarkError } from '../../src/errors.ts';
import { readServingLog } from '../../src/ledger/read-log.ts';
import { verifyLog } from '../../src/operations/log.ts';
import { servingFloor, toDistribution } from '../../src/watermark/probability/distribution.ts';
import type { ClientAnswer } from './client.ts';
import { probabilitiesOf } from './model.ts';

/** What a log has of each question, by tenant and question. */
export type Logged = ReadonlyMap<string, readonly number[]>;

/** Reads all records of tenants. */
export async function readLogged(directory: string, tenants: Iterable<string>): Promise<Logged> {
  const logged = new Map<string, readonly number[]>();
  for (const tenant of tenants) {
    try {
      for await (const { input, served } of readServingLog(directory, { tenant })) {
        logged.set(`${tenant} ${input}`, served);
      }
    } catch (cause) {
      if (!TouchmarkError.isInstance(cause) || cause.code !== 'TENANT_UNKNOWN') throw cause;
    }
  }
  return logged;
}

/** Says whether an answer is other than the model's own. */
export function isMarked({ question, probabilities }: ClientAnswer): boolean {
  const clean = toDistribution(probabilitiesOf(question), servingFloor);
  return !isDeepStrictEqual([...clean], [...probabilities]);
}

/**
 * Returns answers that clients got and the log does not have, or has otherwise: none may be, except
 * unmarked ones of a gateway that fails open.
 */
export function missing(
  answers: readonly ClientAnswer[],
  logged: Logged,
  policy: 'fail-closed' | 'fail-open' = 'fail-closed',
): ClientAnswer[] {
  return answers.filter((answer) => {
    const served = logged.get(`${answer.tenant} ${answer.question}`);
    if (isDeepStrictEqual(served, answer.probabilities)) return false;
    return policy === 'fail-closed' || isMarked(answer);
  });
}

/** Returns what `log verify` finds wrong, in words; empty when nothing is. */
export async function problemsOf(configPath: string): Promise<string[]> {
  const { valid, problems } = await verifyLog({ configPath });
  return valid ? [] : [`log verify: ${problems.slice(0, 3).join('; ')}`];
}
