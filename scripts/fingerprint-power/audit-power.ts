import { createHash } from 'node:crypto';
import { firstOccurrences } from '../../src/audit/material.ts';
import type { Answer, Progress, ServedRecord } from '../../src/contracts.ts';
import type { ModelCache } from '../../src/models/training/model-cache.ts';
import { log10Product } from '../../src/stats/merging.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { type MemberPlan, surrogateKinds } from '../zoo/manifest.ts';
import { type Member, openMember } from '../zoo/open-member.ts';
import type { Truth, ZooModel } from '../zoo/zoo-model.ts';
import { keyedReader } from './audit-power-reading.ts';

/** The keyed scores of all audits of one model, in bans. */
export interface AuditedModel {
  readonly id: string;
  readonly truth: Truth;
  readonly kind: string;
  readonly familiar: boolean;
  /** Whether a surrogate learnt from probabilities; false for independents. */
  readonly soft: boolean;
  /** One row per audit, one score per size; a row is shorter where that part of the log is. */
  readonly scores: {
    readonly labels: readonly (readonly number[])[];
    /** Absent for a model that gives labels only. */
    readonly probabilities?: readonly (readonly number[])[];
  };
}

/** The keyed part of audits of everybody in one member of the zoo. */
export interface MemberAudits {
  readonly plan: MemberPlan;
  /** Logged questions of an audit. */
  readonly sizes: readonly number[];
  readonly models: readonly AuditedModel[];
}

export interface AuditPowerOptions {
  readonly plan: MemberPlan;
  /** Ascending. */
  readonly sizes: readonly number[];
  /** Audits of each independent, each under a key of its own. */
  readonly keys: number;
  readonly cache: ModelCache;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** The parts of a surrogate's log that are audited begin at these questions. */
const parts = [0, 1000, 2000];
/** Thieves whose questions independents are asked, in turn. */
const thieves = 6;

/**
 * Audits everybody in a member of the zoo by keyed evidence from the log: coins, and signs per query
 * with the clean answers as the only baseline. Fresh probes and replay twins are left out, because a
 * twin for every thief and size takes hours: an owner's audit has more keyed evidence.
 *
 * Surrogates are audited under the key of the answers that they learnt from. Independents are audited
 * under keys that nobody learnt from, on questions of thieves drawn at random: neither test reads the
 * served answers, so that a key needs no marking.
 */
export async function measureAuditPower(options: AuditPowerOptions): Promise<MemberAudits> {
  const { plan, sizes, signal, progress } = options;
  const member = await openMember({ ...plan, cache: options.cache, signal, progress });
  const name = `${plan.task}/${plan.number}: audits`;
  const { surrogates, independents } = member;
  const total = surrogates.length + independents.length;
  const models: AuditedModel[] = [];
  for (const surrogate of surrogates) {
    signal.throwIfAborted();
    models.push(auditSurrogate(member, surrogate, sizes));
    progress(name, models.length, total);
  }
  const logs = seededRandom(`${plan.task}/${plan.number}/thieves`)
    .choose(surrogates, thieves)
    .map(({ id }) => questionsOf(member, id, sizes.at(-1)!));
  for (const [index, independent] of independents.entries()) {
    signal.throwIfAborted();
    models.push(auditIndependent(member, independent, logs[index % thieves]!, options));
    progress(name, models.length, total);
  }
  return { plan, sizes, models };
}

function auditSurrogate(member: Member, model: ZooModel, sizes: readonly number[]): AuditedModel {
  const { profile, epochKey } = member.served!;
  const records = questionsOf(member, model.id);
  const answers = answersOf(member, model, records);
  const rows = parts.flatMap((from) => {
    const reach = from === 0 ? sizes : sizes.filter((size) => from + size <= records.length);
    const [first = 0, to] = [reach[0], from + (reach.at(-1) ?? 0)];
    if (first === 0) return [];
    const log = { profile, records: records.slice(from, to), answers: answers.slice(from, to) };
    return [scoresOf(keyedReader(log, reach)(epochKey))];
  });
  return described(model, rows);
}

function auditIndependent(
  member: Member,
  model: ZooModel,
  records: readonly ServedRecord[],
  { sizes, keys }: AuditPowerOptions,
): AuditedModel {
  const { profile } = member.served!;
  const read = keyedReader({ profile, records, answers: answersOf(member, model, records) }, sizes);
  const rows = Array.from({ length: keys }, (_, key) => {
    const epochKey = createHash('sha256').update(`audit of ${model.id} under key ${key}`).digest();
    return scoresOf(read(epochKey));
  });
  return described(model, rows);
}

interface Scores {
  readonly labels: readonly number[];
  readonly probabilities?: readonly number[];
}

/** The key material of the two tests is disjoint, so that their e-values multiply. */
function scoresOf({ coins, perQuery }: ReturnType<ReturnType<typeof keyedReader>>): Scores {
  const both = perQuery?.map((bans, size) => log10Product([bans, coins[size]!]));
  return { labels: coins, ...(both && { probabilities: both }) };
}

function described(model: ZooModel, rows: readonly Scores[]): AuditedModel {
  const { id, truth, kind, familiar } = model;
  const probabilities = rows.flatMap((row) => (row.probabilities ? [row.probabilities] : []));
  return {
    ...{ id, truth, kind, familiar },
    soft: surrogateKinds.some(({ name, soft }) => name === kind && soft),
    scores: {
      labels: rows.map(({ labels }) => labels),
      ...(probabilities.length > 0 && { probabilities }),
    },
  };
}

function questionsOf(
  { served }: Member,
  surrogateId: string,
  most = Number.POSITIVE_INFINITY,
): readonly ServedRecord[] {
  return firstOccurrences(served!.recordsOf(surrogateId)).slice(0, most);
}

function answersOf(
  { scene: { labels } }: Member,
  model: ZooModel,
  records: readonly ServedRecord[],
): Answer[] {
  const inputs = records.map(({ input }) => input);
  const classes = model.label(inputs);
  const rows = model.probabilities?.(inputs);
  return inputs.map((_, row) => {
    const place = classes[row];
    const label = place === undefined ? 'none of these' : labels[place]!;
    const from = row * labels.length;
    return {
      label,
      ...(rows && { probabilities: [...rows.subarray(from, from + labels.length)] }),
    };
  });
}
