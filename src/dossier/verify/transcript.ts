import type { Outcome } from '../../contracts.ts';
import { timeOf } from '../../keys/beacon.ts';
import { verifyRunEntries } from '../../ledger/run-chain.ts';
import { refused } from '../envelope.ts';
import type { DossierPredicate } from '../statement.ts';

/**
 * Checks the chain of the suspect's answers from the plan's hash to its head, and that none came
 * before the plan was sealed or after the dossier was made. Returns the answers shown, by probe.
 *
 * @throws TouchmarkError EVIDENCE_INVALID
 */
export function verifyTranscript(
  { run, plan, createdAt, vouchers: { beacon } }: DossierPredicate,
  planHash: string,
): ReadonlyMap<string, Outcome> {
  if (run.entries.some(({ previous }) => previous === undefined)) {
    throw refused('has a run log with an entry that does not name the one before it');
  }
  const { head, payloads, broken } = verifyRunEntries(planHash, run.entries);
  if (broken !== undefined) {
    throw refused(`has a run log whose entry ${broken.index} ${broken.reason}`);
  }
  if (head.hash !== run.head) throw refused('has a run log that was cut short or lengthened');
  const outcomes = new Map<string, Outcome>();
  const published = beacon === null ? 0 : timeOf(beacon.chain, beacon.round.round);
  let before = Math.max(Date.parse(plan.sealedAt), published);
  for (const { id, at, outcome } of payloads.values()) {
    const time = Date.parse(at);
    if (time < before)
      throw refused(`has an answer to ${id} from before its plan, its beacon or the one before`);
    before = time;
    outcomes.set(id, outcome);
  }
  if (Date.parse(createdAt) < before) throw refused('is older than the answers in it');
  return outcomes;
}
