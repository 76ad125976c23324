import type { Evidence, Input, NullKind, Observation, Probe, TestRun } from '../../contracts.ts';
import { checkpointWeights, combineCheckpoints } from '../../stats/checkpoints.ts';
import { signMixtureLog10E } from '../../stats/sign-betting.ts';
import { log10WeightedSignUpperTail } from '../../stats/tails/weighted-signs.ts';
import { carrierShape, readFeatures } from '../../watermark/classifier-profile.ts';
import {
  type AlignedAnswer,
  fitAlignment,
  residual,
} from '../../watermark/probability/alignment.ts';
import { CarrierBank, carrierSigns } from '../../watermark/probability/carriers.ts';
import { SmoothReader } from '../../watermark/probability/smooth-layer.ts';
import { type AuditMaterial, type BaselinedQuestion, keyMaterialOf } from '../material.ts';
import { probabilitiesOf } from './answered-probabilities.ts';
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
  readonly #answers: AlignedAnswer[] = [];
  readonly #weights = checkpointWeights(checkpoints);
  readonly #reached: number[] = [];
  #bank: CarrierBank | undefined;
  #reader: SmoothReader | undefined;
  readonly #unread: Input[] = [];
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
      if (suspect !== undefined) {
        this.#answers.push({ suspect, baselines: question.baselines });
        this.#unread.push(question.probe.input);
      } else this.#skipped.add('missing' in observation ? observation.missing : 'no probabilities');
    }
    while (this.#isCheckpointDue()) this.#evaluate();
  }

  /** With fewer probes than checkpoints, one probe is the place of several. */
  #isCheckpointDue(): boolean {
    const number = this.#reached.length + 1;
    return number <= checkpoints && this.#queue.folded === this.#checkpointAt(number);
  }

  #checkpointAt(number: number): number {
    return Math.ceil((number * this.#queue.total) / checkpoints);
  }

  #evaluate(): void {
    const { profile } = this.#material;
    this.#bank ??= new CarrierBank(this.#material.keys.carriersKey, carrierShape(profile));
    this.#reader ??= new SmoothReader(this.#bank);
    for (const input of this.#unread.splice(0)) {
      this.#reader.add(readFeatures(profile.features, input));
    }
    const alignment = fitAlignment(this.#answers);
    const scores = this.#reader.scores(this.#answers.map((answer) => residual(answer, alignment)));
    const signs = carrierSigns(this.#material.keys.signsKey, this.#bank.count);
    this.#reached.push(signMixtureLog10E(scores, signs));
    if (this.#queue.done) this.#final = fixedSample(scores, signs);
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
      keyMaterial: [keyMaterialOf(this.#material, 'probability-signs')],
      assumptions,
    };
  }
}

function fixedSample(
  scores: Float64Array,
  signs: ArrayLike<number>,
): { readonly log10P: number; readonly z: number } {
  const sum = scores.reduce((total, score, j) => total + score * signs[j]!, 0);
  const norm = Math.sqrt(scores.reduce((total, score) => total + score * score, 0));
  const { log10P } = log10WeightedSignUpperTail(scores, sum);
  return { log10P, z: norm > 0 ? sum / norm : 0 };
}
