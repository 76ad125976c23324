import type { Evidence, Observation, Probe, ProvenanceTest, TestRun } from '../../contracts.ts';
import type { KeyedBits } from '../../keys/coin-tree.ts';
import { CoinBetting } from '../../stats/coin-betting.ts';
import { log10WeightedMean } from '../../stats/merging.ts';
import { SignBetting } from '../../stats/sign-betting.ts';
import {
  type AlignedAnswer,
  type Alignment,
  fitAlignment,
  residual,
} from '../../watermark/probability/alignment.ts';
import {
  perQueryDirection,
  perQueryScore,
  perQuerySign,
} from '../../watermark/probability/per-query.ts';
import { type AuditMaterial, keyMaterialOf } from '../material.ts';
import { probabilitiesOf } from './answered-probabilities.ts';
import { LearnedGains } from './learned-gains.ts';
import { QuestionQueue, SkipCounter } from './question-queue.ts';

/** Logged questions folded before the alignment is fitted to them for the first time. */
const firstRefit = 250;

/**
 * Scores the keyed sign of every logged question against the suspect's answer to it.
 *
 * Null: the suspect is independent of the key. Each sign falls after its question was chosen, and
 * the score it meets depends on that question, the clean answer, the suspect, the owner's fresh
 * probes, and questions and signs before it: the bets are a martingale in served order, whatever
 * the tenant asked and whenever it stopped. The alignment is fitted on fresh probes, then refitted
 * on the past of the log; the gains are learned from the past likewise. Half of the stake bets on
 * whether score and sign agree, whatever the score's size: that finds models which repeat answers.
 */
export const probabilityPerQuery: ProvenanceTest<AuditMaterial> = {
  name: 'probability-per-query',
  null: 'keyed',
  needs: ['probabilities'],
  start: (material) => new PerQueryRun(material),
};

class PerQueryRun implements TestRun {
  readonly #signs: KeyedBits;
  readonly #keyMaterial: string;
  readonly #direction: Int8Array;
  readonly #fresh: QuestionQueue<AuditMaterial['fresh'][number]>;
  readonly #logged: QuestionQueue<AuditMaterial['logged'][number]>;
  readonly #skipped = new SkipCounter();
  readonly #betting = new SignBetting(1);
  readonly #agreement = new CoinBetting();
  readonly #gains = new LearnedGains();
  #answers: AlignedAnswer[] = [];
  #alignment: Alignment | undefined;
  #refitAt = firstRefit;

  constructor(material: AuditMaterial) {
    const { perQuery, directionKey } = material.keys;
    this.#signs = perQuery;
    this.#keyMaterial = keyMaterialOf(material, 'probability-per-query');
    this.#direction = perQueryDirection(directionKey, material.profile.labels.length);
    this.#fresh = new QuestionQueue(material.fresh);
    this.#logged = new QuestionQueue(material.logged);
  }

  next(): readonly Probe[] {
    return this.#fresh.done ? this.#logged.next() : this.#fresh.next();
  }

  fold(observations: readonly Observation[]): void {
    if (this.#fresh.done) this.#foldLogged(observations);
    else this.#foldFresh(observations);
  }

  #foldFresh(observations: readonly Observation[]): void {
    for (const [question, observation] of this.#fresh.take(observations)) {
      const suspect = probabilitiesOf(observation);
      if (suspect !== undefined) this.#answers.push({ suspect, baselines: question.baselines });
    }
    if (this.#fresh.done) {
      if (this.#answers.length > 0) this.#align();
      this.#answers = [];
    }
  }

  #foldLogged(observations: readonly Observation[]): void {
    for (const [question, observation] of this.#logged.take(observations)) {
      const suspect = probabilitiesOf(observation);
      if (suspect === undefined) {
        this.#skipped.add('missing' in observation ? observation.missing : 'no probabilities');
        continue;
      }
      const answer = { suspect, baselines: question.baselines };
      if (this.#answers.length === this.#refitAt) {
        this.#align();
        this.#refitAt *= 2;
      }
      const { input, clean } = question.record;
      if (this.#alignment === undefined) this.#skipped.add('spent on the first alignment');
      else {
        const rest = residual(answer, this.#alignment);
        this.#bet(
          perQueryScore(rest, clean, this.#direction),
          Math.max(...clean),
          perQuerySign(this.#signs, input),
        );
      }
      this.#answers.push(answer);
    }
  }

  #align(): void {
    this.#alignment = fitAlignment(this.#answers);
  }

  #bet(score: number, confidence: number, sign: 1 | -1): void {
    this.#betting.fold(sign, this.#gains.gain(confidence) * score);
    this.#gains.learn(confidence, score, sign);
    if (score !== 0) this.#agreement.fold(sign * score > 0);
  }

  evidence(): Evidence {
    const { trials } = this.#betting;
    const bets = [this.#betting.log10E, this.#agreement.log10E];
    const { done, folded, total } = this.#logged;
    return {
      test: probabilityPerQuery.name,
      null: 'keyed',
      status: total === 0 ? 'not-applicable' : done && this.#fresh.done ? 'done' : 'partial',
      log10E: log10WeightedMean(bets, [0.5, 0.5]),
      probes: this.#fresh.folded + folded,
      skipped: this.#skipped.counts,
      effect: { signs: trials, agreeing: this.#agreement.hits },
      keyMaterial: [this.#keyMaterial],
      assumptions: [],
    };
  }
}
