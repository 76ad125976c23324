import type { Evidence, NullKind, Observation, Probe, TestRun } from '../../contracts.ts';
import { checkpointWeights, combineCheckpoints } from '../../stats/checkpoints.ts';
import { signMixtureLog10E } from '../../stats/sign-betting.ts';
import { log10WeightedSignUpperTail } from '../../stats/tails/weighted-signs.ts';
import { carrierShape, readFeatures } from '../../watermark/classifier-profile.ts';
import { fitAlignment, residual } from '../../watermark/probability/alignment.ts';
import { CarrierBank, carrierSigns } from '../../watermark/probability/carriers.ts';
import { smoothScores } from '../../watermark/probability/smooth-layer.ts';
import { type AuditMaterial, type BaselinedQuestion, keyMaterialOf } from '../material.ts';
import { probabilitiesOf } from './probability-per-query.ts';
import { QuestionQueue, SkipCounter } from './question-queue.ts';

const checkpoints = 4;

export interface SmoothSignsOptions {
  readonly test: string;
  readonly null: NullKind;
  readonly questions: readonly BaselinedQuestion[];
  readonly assumptions: readonly string[];
}

/**
 * The sign test of the smooth layer over a fixed set of questions.
 *
 * All probes share the signs, so there is no martingale: the e-value is computed at four preset
 * checkpoints whose weights sum to one, and nothing about the signs is looked at in between. The
 * p-value is of the fixed sample, at the horizon.
 */
export class SmoothSignsRun implements TestRun {
  readonly #options: SmoothSignsOptions;
  readonly #material: AuditMaterial;
  readonly #queue: QuestionQueue<BaselinedQuestion>;
  readonly #skipped = new SkipCounter();
  readonly #answers: {
    readonly suspect: readonly number[];
    readonly question: BaselinedQuestion;
  }[] = [];
  readonly #weights = checkpointWeights(checkpoints);
  readonly #reached: number[] = [];
  #bank: CarrierBank | undefined;
  #final: { readonly log10P: number; readonly z: number } | undefined;

  constructor(material: AuditMaterial, options: SmoothSignsOptions) {
    this.#material = material;
    this.#options = options;
    this.#queue = new QuestionQueue(options.questions);
  }

  next(): readonly Probe[] {
    const due = this.#checkpointAt(this.#reached.length + 1);
    return this.#queue.next().slice(0, Math.max(0, due - this.#queue.folded));
  }

  fold(observations: readonly Observation[]): void {
    for (const [question, observation] of this.#queue.take(observations)) {
      const suspect = probabilitiesOf(observation);
      if (suspect !== undefined) this.#answers.push({ suspect, question });
      else this.#skipped.add('missing' in observation ? observation.missing : 'no probabilities');
    }
    if (this.#queue.folded === this.#checkpointAt(this.#reached.length + 1)) this.#evaluate();
  }

  #checkpointAt(number: number): number {
    return Math.ceil((number * this.#queue.total) / checkpoints);
  }

  #evaluate(): void {
    this.#bank ??= new CarrierBank(
      keyMaterialOf(this.#material, 'probability-carriers').key,
      carrierShape(this.#material.profile),
    );
    const bank = this.#bank;
    const signs = carrierSigns(keyMaterialOf(this.#material, 'probability-signs').key, bank.count);
    const scores = this.#scores(bank);
    this.#reached.push(signMixtureLog10E(scores, signs));
    if (!this.#queue.done) return;
    const sum = scores.reduce((total, score, j) => total + score * signs[j]!, 0);
    const norm = Math.sqrt(scores.reduce((total, score) => total + score * score, 0));
    this.#final = {
      log10P: log10WeightedSignUpperTail(scores, sum).log10P,
      z: norm > 0 ? sum / norm : 0,
    };
  }

  #scores(bank: CarrierBank): Float64Array {
    if (this.#answers.length === 0) return new Float64Array(bank.count);
    const alignment = fitAlignment(
      this.#answers.map(({ suspect }) => suspect),
      this.#answers.map(({ question }) => question.baselines),
    );
    const { features } = this.#material.profile;
    return smoothScores(
      bank,
      this.#answers.map(({ suspect, question }) => ({
        features: readFeatures(features, question.probe.input),
        residual: residual(suspect, question.baselines, alignment),
      })),
    );
  }

  evidence(): Evidence {
    const { test, assumptions } = this.#options;
    const kind = this.#options.null;
    const bans = this.#reached.length === 0 ? 0 : combineCheckpoints(this.#reached, this.#weights);
    const complete = this.#final;
    return {
      test,
      null: kind,
      status: this.#queue.total === 0 ? 'not-applicable' : complete ? 'done' : 'partial',
      log10E: kind === 'descriptive' ? 0 : bans,
      ...(complete && kind !== 'descriptive' ? { log10P: complete.log10P } : {}),
      probes: this.#queue.folded,
      skipped: this.#skipped.counts,
      effect: { bans, ...(complete ? { z: complete.z } : {}) },
      keyMaterial: [keyMaterialOf(this.#material, 'probability-signs').commitment],
      assumptions,
    };
  }
}
