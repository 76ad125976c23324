import type { Evidence, Observation, Probe, ProvenanceTest, TestRun } from '../../contracts.ts';
import { CoinBetting } from '../../stats/coin-betting.ts';
import { type Coin, tossCoin } from '../../watermark/label/coins.ts';
import { type AuditMaterial, type CoinQuestion, keyMaterialOf } from '../material.ts';
import { PresetHorizons } from './preset-horizons.ts';
import { QuestionQueue, SkipCounter } from './question-queue.ts';

interface TossedQuestion extends CoinQuestion {
  readonly coin: Coin;
}

/**
 * Re-asks low-margin questions of the log, those of the audit's coin traps or without any the whole
 * prefix, and counts the answers that repeat the keyed coin.
 *
 * Null: the suspect is independent of the key. Then each coin is fair given everything before its
 * question was asked, answers outside the pair do not depend on it, and the count among answers
 * inside is a fair coin's: a betting martingale in served order, and Binomial(n, 1/2) at preset
 * numbers of coins. Valid also against tenants that choose their questions from earlier answers, or
 * stop when they like what they see.
 */
export const labelCoins: ProvenanceTest<AuditMaterial> = {
  name: 'label-coins',
  null: 'keyed',
  needs: ['labels'],
  start: (material) => new LabelCoinsRun(material),
};

class LabelCoinsRun implements TestRun {
  readonly #labels: readonly string[];
  readonly #queue: QuestionQueue<TossedQuestion>;
  readonly #keyMaterial: string;
  readonly #betting = new CoinBetting();
  readonly #horizons = new PresetHorizons();
  readonly #skipped = new SkipCounter();

  constructor(material: AuditMaterial) {
    this.#labels = material.profile.labels;
    this.#keyMaterial = keyMaterialOf(material, 'label-coins');
    const { keys, profile } = material;
    const questions = material.coins.flatMap((question) => {
      const { input, clean } = question.record;
      const coin = tossCoin(keys.labelCoins, input, clean, profile.marginThreshold);
      if (coin === undefined) return [];
      return [{ ...question, coin }];
    });
    this.#queue = new QuestionQueue(questions);
  }

  next(): readonly Probe[] {
    return this.#queue.next();
  }

  fold(observations: readonly Observation[]): void {
    for (const [{ coin }, observation] of this.#queue.take(observations)) {
      if (!('answer' in observation)) {
        this.#skipped.add(observation.missing);
        continue;
      }
      const top = observation.answer.label === this.#labels[coin.top];
      const second = observation.answer.label === this.#labels[coin.second];
      if (top || second) {
        this.#betting.fold(second === (coin.outcome === 1));
        this.#horizons.look(this.#betting.hits, this.#betting.trials);
      } else this.#skipped.add('outside the pair');
    }
  }

  evidence(): Evidence {
    const { hits, trials, log10E } = this.#betting;
    const { done, folded, total } = this.#queue;
    const { log10P } = this.#horizons;
    return {
      test: labelCoins.name,
      null: 'keyed',
      status: total === 0 ? 'not-applicable' : done ? 'done' : 'partial',
      log10E,
      ...(log10P !== undefined && { log10P }),
      probes: folded,
      skipped: this.#skipped.counts,
      effect: trials > 0 ? { coins: trials, hits, share: hits / trials } : { coins: 0, hits: 0 },
      keyMaterial: [this.#keyMaterial],
      assumptions: [],
    };
  }
}
