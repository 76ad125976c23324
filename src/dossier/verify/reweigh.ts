import { createHash } from 'node:crypto';
import { judge } from '../../audit/judgement.ts';
import type { AuditMaterial } from '../../audit/material.ts';
import { replayTests } from '../../audit/replay.ts';
import type { Outcome, Probe } from '../../contracts.ts';
import { readingLogs } from '../../watermark/probability/alignment.ts';
import type { VerifiedDossier } from './verify.ts';

type ByProbe<Value> = ReadonlyMap<string, Value>;

/** What a reader was answered, by probe; whatever is absent is taken from the dossier. */
export interface OwnAnswers {
  /** By the suspect. */
  readonly suspect?: ByProbe<Outcome>;
  /** By the reader's own copy of the protected model, unmarked: probabilities in the plan's order. */
  readonly clean?: ByProbe<readonly number[]>;
  /** By models of the reader's that are known to be innocent. */
  readonly controls?: readonly ByProbe<Outcome>[];
}

/** What the reader's own answers come to; scores are keyed evidence after the plan's charges, in bans. */
export interface Reweighed {
  /** Probes of the sample. */
  readonly asked: number;
  /** By the suspect's answers to the reader, or those of the dossier where it was not asked again. */
  readonly keyedScore: number;
  readonly reasked?: {
    readonly answered: number;
    /** Answered with the label that the dossier has. */
    readonly sameLabel: number;
  };
  /** Whether the reader's own clean answers were read instead of the owner's. */
  readonly ownBaseline: boolean;
  /** Of each control. */
  readonly controlScores: readonly number[];
}

const range = 2 ** 48;

/**
 * Draws the probes to ask again, from all that the keyed tests of a dossier used: each by itself, with
 * the chance `share`. A sample of a fixed size would not do: how many there are can depend on the coins
 * of a tenant that stopped while it was ahead (DESIGN: fold a prefix, or an independent thinning).
 *
 * @param options.seed must not have been known to whoever made the dossier
 * @param options.share 0 to 1
 */
export function sampleProbes(
  dossier: VerifiedDossier,
  { seed, share }: { readonly seed: string; readonly share: number },
): readonly Probe[] {
  const drawn = (id: string) => {
    const hash = createHash('sha256')
      .update(JSON.stringify([seed, dossier.digest, id]))
      .digest();
    return hash.readUIntBE(0, 6) < share * range;
  };
  return keyedProbes(dossier.material).filter(({ id }) => dossier.outcomes.has(id) && drawn(id));
}

/**
 * Weighs the keyed evidence again on some probes alone, by the reader's own answers.
 *
 * Null: as for each test, for questions chosen without the key; which of them are asked does not depend
 * on answers or key, so that the e-value of the sample stands alone. With a baseline of the reader's the
 * owner's clean answers and twins are read no more, neither as what probabilities are held against nor
 * for the pairs of coins.
 */
export function reweigh(
  dossier: VerifiedDossier,
  sample: readonly Probe[],
  own: OwnAnswers,
): Reweighed {
  const { predicate, material, outcomes } = dossier;
  const ids = new Set(sample.map(({ id }) => id));
  const read = onlyAsked(material, ids, own.clean);
  const keyed = new Set(
    predicate.findings.evidence
      .filter(({ test, null: kind }) => kind === 'keyed' && dossier.tests.has(test))
      .map(({ test }) => test),
  );
  const scoreOf = (answers: ByProbe<Outcome>) => {
    const answerOf = (id: string): Outcome => answers.get(id) ?? { missing: 'unsupported' };
    const { evidence } = replayTests(read, predicate.plan.gives, answerOf, { tests: keyed });
    return judge(predicate.plan, evidence, undefined).keyedScore;
  };
  return {
    asked: ids.size,
    keyedScore: scoreOf(own.suspect ?? outcomes),
    ...(own.suspect && { reasked: compared(ids, outcomes, own.suspect) }),
    ownBaseline: own.clean !== undefined,
    controlScores: (own.controls ?? []).map(scoreOf),
  };
}

function keyedProbes({ fresh, logged, coins }: AuditMaterial): readonly Probe[] {
  const probes = [...fresh, ...logged, ...coins].map(({ probe }) => probe);
  return [...new Map(probes.map((probe) => [probe.id, probe])).values()];
}

function onlyAsked(
  material: AuditMaterial,
  ids: ReadonlySet<string>,
  clean: OwnAnswers['clean'],
): AuditMaterial {
  const asked = ({ probe: { id } }: { readonly probe: Probe }) =>
    ids.has(id) && (clean === undefined || clean.has(id));
  const cleanOf = ({ probe: { id } }: { readonly probe: Probe }) => clean?.get(id);
  const { fingerprint: _, ...rest } = material;
  return {
    ...rest,
    regionLots: [],
    coins: material.coins.filter(asked).map((question) => {
      const own = cleanOf(question);
      return own ? { ...question, record: { ...question.record, clean: own } } : question;
    }),
    fresh: material.fresh.filter(asked).map((question) => {
      const own = cleanOf(question);
      return own ? { ...question, baselines: [readingLogs(own)] } : question;
    }),
    logged: material.logged.filter(asked).map((question) => {
      const own = cleanOf(question);
      if (own === undefined) return question;
      const baselines = [readingLogs(own)];
      const record = { ...question.record, clean: own };
      return { probe: question.probe, record, baselines, replayBaselines: baselines };
    }),
  };
}

function compared(
  ids: ReadonlySet<string>,
  stated: ByProbe<Outcome>,
  own: ByProbe<Outcome>,
): NonNullable<Reweighed['reasked']> {
  const answers = [...ids].map((id) => [stated.get(id), own.get(id)] as const);
  return {
    answered: answers.filter(([, answer]) => answer !== undefined && 'answer' in answer).length,
    sameLabel: answers.filter(([before, now]) => isSame(before, now)).length,
  };
}

function isSame(stated: Outcome | undefined, own: Outcome | undefined): boolean {
  if (stated === undefined || own === undefined) return false;
  if ('answer' in stated && 'answer' in own) return stated.answer.label === own.answer.label;
  return 'missing' in stated && 'missing' in own;
}
