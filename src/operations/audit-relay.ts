import type { AuditMaterial } from '../audit/material.ts';
import type { AuditPlan } from '../audit/plan.ts';
import {
  firstServed,
  judgeRelay,
  relayCoins,
  relaySightings,
  type ServedMoment,
} from '../audit/relay.ts';
import { relaySays } from '../audit/relay-words.ts';
import type { Input, Probe } from '../contracts.ts';
import { inputDigest } from '../keys/canonical-input.ts';
import { classifierKeys } from '../keys/classifier-keys.ts';
import type { KeyedBits } from '../keys/coin-tree.ts';
import { readAllRecords } from '../ledger/read-all.ts';
import type { RelayPart } from '../report/parts.ts';
import type { KeyRing } from '../store/key-ring.ts';
import { softmax } from '../watermark/probability/distribution.ts';
import type { LoggedAnswers } from './audit-answers.ts';
import type { PreparedAudit } from './audit-preparation.ts';

/** Milliseconds since 1970. */
interface Span {
  readonly from: number;
  readonly to: number;
}

interface TenantEpoch {
  readonly tenant: string;
  readonly epoch: string;
}

/** What a suspect was asked, and what it answered. */
export interface RelayQuestioning {
  readonly plan: Pick<AuditPlan, 'sealedAt' | 'tenant'>;
  readonly material: Pick<AuditMaterial, 'fresh' | 'regionLots'>;
  readonly answers: Pick<LoggedAnswers, 'unserved'>;
}

/**
 * Looks for signs that a suspect forwarded the questions of an audit to our own service: coins of
 * keys in use on questions nobody had asked, and those questions in the serving log.
 *
 * @throws TouchmarkError LOG_INVALID when the log is not as it was written; KEY_RING_INVALID
 */
export async function checkRelay(
  { project: { config }, profile, keyRing, retiredAt }: PreparedAudit,
  { plan, material, answers }: RelayQuestioning,
): Promise<RelayPart> {
  const answered = answeredQuestions(material, answers);
  const from = Date.parse(plan.sealedAt);
  const to = answered.reduce((latest, { answeredAt }) => Math.max(latest, answeredAt), from);
  const wanted = new Set(answered.map(({ digest }) => digest));
  const log = await searchLog(config.log.directory, wanted, { from, to });
  const { timeoutSeconds } = config.audit;
  const sightings = relaySightings(answered, log.served, plan.tenant, {
    logSince: log.since,
    sealedAt: from,
    windowMilliseconds: timeoutSeconds * 1000,
  });
  const first = firstServed(log.served);
  const labels = new Map(
    answered
      .filter(({ digest }) => (first.get(digest) ?? from) >= from)
      .map(({ id, label }) => [id, label]),
  );
  const questions = material.fresh
    .filter(({ probe }) => labels.has(probe.id))
    .map(({ probe: { id, input }, baselines }) => ({
      ...{ input, label: labels.get(id) },
      clean: softmax(Float64Array.from(baselines.at(-1)!)),
    }));
  const coins = relayCoins(questions, coinsInUse(keyRing, log.epochs, { from, to }), profile);
  const epochClosed = retiredAt !== undefined;
  const judgement = judgeRelay(epochClosed, coins, sightings);
  const { share: _, ...counts } = sightings;
  return {
    finding: judgement.finding,
    closedSince: retiredAt ?? null,
    coins,
    log: { ...counts, windowSeconds: timeoutSeconds },
    says: relaySays(judgement, { epochClosed, coins, sightings }),
  };
}

/** The answers to questions that nobody should have been served an answer to. */
function answeredQuestions(
  { fresh, regionLots }: RelayQuestioning['material'],
  { unserved }: RelayQuestioning['answers'],
) {
  const probes: readonly Probe[] = [
    ...fresh.map(({ probe }) => probe),
    ...regionLots.flatMap((lot) => lot.probes),
  ];
  return probes.flatMap(({ id, input }) => {
    const answer = unserved.get(id);
    if (answer === undefined) return [];
    const { label, at } = answer;
    return [{ id, digest: nameOf(input), label, answeredAt: Date.parse(at) }];
  });
}

function nameOf(input: Input): string {
  return inputDigest(input).toString('base64');
}

/** What the log has of some questions, when it begins, and the epochs that it shows in a span. */
async function searchLog(directory: string, wanted: ReadonlySet<string>, span: Span) {
  const served: ServedMoment[] = [];
  const epochs = new Map<string, TenantEpoch>();
  let since = Number.POSITIVE_INFINITY;
  for await (const { input, tenant, epoch, servedAt } of readAllRecords(directory)) {
    const at = Date.parse(servedAt);
    since = Math.min(since, at);
    const digest = nameOf(input);
    if (wanted.has(digest)) served.push({ digest, tenant, servedAt: at });
    if (at >= span.from && at <= span.to) epochs.set(`${tenant}/${epoch}`, { tenant, epoch });
  }
  return { served, since, epochs: [...epochs.values()] };
}

/**
 * The coins of all keys that may have marked an answer in a span: those the ring had in use, and
 * those the log shows, because whoever serves goes on with an epoch until it reads the keys again.
 */
function coinsInUse(
  keyRing: KeyRing,
  shown: readonly TenantEpoch[],
  { from, to }: Span,
): readonly KeyedBits[] {
  const inUse = keyRing
    .tenants()
    .flatMap((tenant) =>
      keyRing
        .epochs(tenant)
        .filter(
          ({ epoch, createdAt, closedAt }) =>
            shown.some((each) => each.tenant === tenant && each.epoch === epoch) ||
            (Date.parse(createdAt) <= to &&
              (closedAt === undefined || Date.parse(closedAt) >= from)),
        ),
    );
  return inUse.map(
    ({ tenant, epoch }) => classifierKeys(keyRing.epochKey(tenant, epoch)).labelCoins,
  );
}
