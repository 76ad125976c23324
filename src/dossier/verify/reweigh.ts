import { judge } from '../../audit/judgement.ts';
import type { AuditMaterial } from '../../audit/material.ts';
import { replayTests } from '../../audit/replay.ts';
import { provenanceTests } from '../../audit/tests/registry.ts';
import type { Outcome, Probe } from '../../contracts.ts';
import { seededRandom } from '../../stats/sampling.ts';
import { readingLogs } from '../../watermark/probability/alignment.ts';
import type { VerifiedDossier } from './verify.ts';

/** What a reader was answered, by probe; whatever is absent is taken from the dossier. */
export interface OwnAnswers {
  /** By the suspect. */
  readonly suspect?: ReadonlyMap<string, Outcome>;
  /** By the reader's own copy of the protected model, unmarked: probabilities in the plan's order. */
  readonly clean?: ReadonlyMap<string, readonly number[]>;
}

/** What the reader's own answers come to. */
export interface Reweighed {
  /** Keyed evidence of the probes asked alone, in bans, after the plan's charges. */
  readonly keyedScore: number;
  readonly reasked?: {
    readonly asked: number;
    readonly answered: number;
    /** Answered with the label that the dossier has. */
    readonly sameLabel: number;
  };
  readonly baseline?: { readonly asked: number };
}

/**
 * Draws the probes to ask again, from all that the keyed tests of a dossier used; all of them where
 * there are no more. The seed must not have been known to whoever made the dossier.
 */
export function sampleProbes(
  dossier: VerifiedDossier,
  { seed, most }: { readonly seed: string; readonly most: number },
): readonly Probe[] {
  const all = keyedProbes(dossier.material).filter(({ id }) => dossier.outcomes.has(id));
  return seededRandom(`${seed}/${dossier.digest}/reask`).choose(all, Math.min(all.length, most));
}

/**
 * Weighs the keyed evidence again on some probes alone, by the reader's own answers.
 *
 * Null: as for each test; which probes are asked is independent of the answers and of the key, so that
 * the e-value of the sample stands alone. With a baseline of the reader's, the owner's clean answers
 * and twins are read no more.
 */
export function reweigh(
  { predicate, material, tests, outcomes }: VerifiedDossier,
  sample: readonly Probe[],
  own: OwnAnswers,
): Reweighed {
  const ids = new Set(sample.map(({ id }) => id));
  const answerOf = (id: string): Outcome =>
    (own.suspect ?? outcomes).get(id) ?? { missing: 'unsupported' };
  const keyed = provenanceTests.filter(
    ({ null: kind, name }) => kind === 'keyed' && tests.has(name),
  );
  const { evidence } = replayTests(
    onlyAsked(material, ids, own.clean),
    predicate.plan.gives,
    answerOf,
    { tests: new Set(keyed.map(({ name }) => name)) },
  );
  const asked = [...ids];
  return {
    keyedScore: judge(predicate.plan, evidence, undefined).keyedScore,
    ...(own.suspect && {
      reasked: {
        asked: asked.length,
        answered: asked.filter((id) => 'answer' in answerOf(id)).length,
        sameLabel: asked.filter((id) => isSame(outcomes.get(id), answerOf(id))).length,
      },
    }),
    ...(own.clean && { baseline: { asked: own.clean.size } }),
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
  const asked = ({ probe }: { readonly probe: Probe }) => ids.has(probe.id);
  const read = ({ probe }: { readonly probe: Probe }) => clean === undefined || clean.has(probe.id);
  const { fingerprint: _, ...rest } = material;
  return {
    ...rest,
    regionLots: [],
    coins: material.coins.filter(asked),
    fresh: material.fresh
      .filter((each) => asked(each) && read(each))
      .map((each) => ({ ...each, ...baselinesOf(each.probe, clean) })),
    logged: material.logged
      .filter((each) => asked(each) && read(each))
      .map((each) => withClean(each, clean)),
  };
}

function withClean(
  question: AuditMaterial['logged'][number],
  clean: OwnAnswers['clean'],
): AuditMaterial['logged'][number] {
  const own = clean?.get(question.probe.id);
  if (own === undefined) return question;
  const baselines = [readingLogs(own)];
  const record = { ...question.record, clean: own };
  return { probe: question.probe, record, baselines, replayBaselines: baselines };
}

function baselinesOf(probe: Probe, clean: OwnAnswers['clean']) {
  const own = clean?.get(probe.id);
  return own === undefined ? {} : { baselines: [readingLogs(own)] };
}

function isSame(stated: Outcome | undefined, own: Outcome): boolean {
  if (stated === undefined) return false;
  if ('answer' in stated && 'answer' in own) return stated.answer.label === own.answer.label;
  return 'missing' in stated && 'missing' in own;
}
