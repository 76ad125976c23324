import type { KeyObject } from 'node:crypto';
import type { ServedRecord } from '../../src/contracts.ts';
import type { DossierStatement } from '../../src/dossier/statement.ts';
import { CoinTree } from '../../src/keys/coin-tree.ts';
import { derivePurposeKey } from '../../src/keys/derivation.ts';
import { keyIdentifier, publicKeyOf } from '../../src/keys/signing.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import type { ClassifierProfile } from '../../src/watermark/classifier-profile.ts';
import { chosenClass, tossCoin } from '../../src/watermark/label/coins.ts';
import { ngramModel, type Predict, sentences } from '../operations/audit-scene.ts';
import type { Attempt } from './received.ts';
import { type Forged, type Forgery, forge } from './workshop.ts';

const day = 86_400_000;
/** When the suspects of these attempts became available; everything that is forged was made later. */
export const available = new Date('2026-03-01T00:00:00.000Z');
export const later = (days: number) => new Date(available.getTime() + days * day);

/** What every cheat has at hand: keys, the protected model, and an honest dossier for the form. */
export interface Accuser {
  readonly template: DossierStatement;
  readonly key: KeyObject;
  readonly epochKey: Uint8Array;
}

/** Questions on which a coin falls, and models that have never seen an answer. */
export class Ground {
  readonly profile: ClassifierProfile;
  readonly clean = ngramModel();
  readonly innocent: Predict;
  readonly questions: readonly string[];
  readonly turn: number;
  readonly accuser: Accuser;

  constructor(accuser: Accuser, turn: number) {
    this.accuser = accuser;
    this.turn = turn;
    this.profile = accuser.template.predicate.profile as unknown as ClassifierProfile;
    this.innocent = remembering(ngramModel(0.4, `innocent ${turn}`));
    this.questions = doubtful(this.profile);
  }

  /** What the coin of a question answers under a key. */
  coinOf(question: string, coins: CoinTree, clean: Predict = this.clean) {
    return tossCoin(coins, question, clean(question), this.profile.marginThreshold);
  }

  /** Questions on whose coins the suspect, asked beforehand, agrees. */
  agreeing(epochKey = this.accuser.epochKey): string[] {
    const coins = coinsOf(epochKey);
    return this.questions.filter((question) => {
      const coin = this.coinOf(question, coins);
      return coin !== undefined && chosenClass(coin) === best(this.innocent(question));
    });
  }

  /** Sequences of the records on whose coins the suspect agrees. */
  agreeingRecords(records: readonly ServedRecord[]): number[] {
    return records
      .filter(
        ({ marks, input, label }) =>
          marks.coin !== undefined && label === best(this.innocent(String(input))),
      )
      .map(({ sequence }) => sequence);
  }

  forge(changes: Partial<Forgery>): Forged {
    const { template, key, epochKey } = this.accuser;
    return forge({
      ...{ template, epochKey, signingKey: key, clean: this.clean, suspect: this.innocent },
      identifier: (template.predicate.plan.log.origin ?? '').replace('touchmark/', ''),
      questions: seededRandom(`asked ${this.turn}`).choose(this.questions, 60),
      gives: ['labels'],
      begun: later(30 + this.turn),
      ...changes,
      plan: {
        suspect: `http:https://innocent-${this.turn}.example/classify`,
        ...changes.plan,
      },
    });
  }

  /**
   * What came of it, in the hands of a reader who knows the owner's key and since when the suspect
   * is available, and whose witnesses saw everything when it was published.
   */
  attempt(forged: Forged, falsified: readonly string[], changes: Partial<Attempt> = {}): Attempt {
    return {
      ...{ statement: forged.statement, key: this.accuser.key, falsified },
      trust: this.trust(forged, later(60 + this.turn)),
      ...{ suspect: this.innocent, baseline: this.clean, controls: controls() },
      ...changes,
    };
  }

  trust({ roots, planHash }: Forged, at: Date, logAt = at): Attempt['trust'] {
    return {
      ownerKey: keyIdentifier(publicKeyOf(this.accuser.key)),
      availableSince: available,
      witnessed: [
        ...roots.map((digest) => ({ digest, at: logAt })),
        { digest: planHash.slice('sha256:'.length), at },
      ],
    };
  }
}

/** A way of accusing somebody who has done nothing. */
export type Cheat = (ground: Ground) => Attempt;

/** What nobody may believe of records that were made with the suspect in view. */
export const order = ['order', "the tenant's questions", 'first look'];

const doubtfulByThreshold = new Map<number, readonly string[]>();

/** Questions that the protected model nearly cannot decide. */
function doubtful({ marginThreshold }: ClassifierProfile): readonly string[] {
  const known = doubtfulByThreshold.get(marginThreshold);
  if (known !== undefined) return known;
  const clean = ngramModel();
  const found = sentences(3000, 'pool').filter((question) => {
    const [top = 0, second = 0] = Array.from(clean(question)).sort((one, two) => two - one);
    return top - second < marginThreshold;
  });
  doubtfulByThreshold.set(marginThreshold, found);
  return found;
}

let knownControls: readonly Predict[] | undefined;

/** Models that a reader knows to have seen no answer. */
function controls(): readonly Predict[] {
  knownControls ??= ['one', 'two'].map((name) => remembering(ngramModel(0.4, `control ${name}`)));
  return knownControls;
}

export function remembering(predict: Predict): Predict {
  const known = new Map<string, ArrayLike<number>>();
  return (question) => {
    const row = known.get(question) ?? predict(question);
    known.set(question, row);
    return row;
  };
}

export function coinsOf(epochKey: Uint8Array): CoinTree {
  return new CoinTree(derivePurposeKey(epochKey, 'label-coins'));
}

export function best(row: ArrayLike<number>): number {
  const values = Array.from(row);
  return values.indexOf(Math.max(...values));
}

export function bestOf<Item>(items: readonly Item[], gain: (item: Item) => number): Item {
  const gains = items.map(gain);
  return items[gains.indexOf(Math.max(...gains))]!;
}
