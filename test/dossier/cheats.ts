import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { json } from '@sigstore/core';
import type { AuditPlan } from '../../src/audit/plan.ts';
import type { ServedRecord } from '../../src/contracts.ts';
import type { DossierStatement } from '../../src/dossier/statement.ts';
import { inputDigest } from '../../src/keys/canonical-input.ts';
import { CoinTree } from '../../src/keys/coin-tree.ts';
import { derivePurposeKey } from '../../src/keys/derivation.ts';
import { leafHash } from '../../src/keys/merkle.ts';
import { keyIdentifier, publicKeyOf } from '../../src/keys/signing.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { deriveModulation } from '../../src/watermark/classifier-marker.ts';
import { type ClassifierProfile, readFeatures } from '../../src/watermark/classifier-profile.ts';
import { chosenClass, tossCoin } from '../../src/watermark/label/coins.ts';
import { softmax } from '../../src/watermark/probability/distribution.ts';
import { perQueryDirection, perQuerySign } from '../../src/watermark/probability/per-query.ts';
import { ngramModel, type Predict, sentences } from '../operations/audit-scene.ts';
import type { Attempt } from './received.ts';
import { type Forged, type Forgery, fallen, forge } from './workshop.ts';

const day = 86_400_000;
/** When the suspects of these attempts became available; everything that is forged was made later. */
const available = new Date('2026-03-01T00:00:00.000Z');
const later = (days: number) => new Date(available.getTime() + days * day);

/** What every cheat has at hand: keys, the protected model, and an honest dossier for the form. */
export interface Accuser {
  readonly template: DossierStatement;
  readonly key: KeyObject;
  readonly epochKey: Uint8Array;
}

/** Questions on which a coin falls, and models that have never seen an answer. */
class Ground {
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

type Cheat = (ground: Ground) => Attempt;

const order = ['order', "the tenant's questions", 'first look'];

/** Everything a false accuser may do, carried out from the first question on. */
export const cheats: Readonly<Record<string, Cheat>> = {
  'sock puppet that asks what agrees': (ground) =>
    ground.attempt(ground.forge({ questions: ground.agreeing().slice(0, 60) }), order),
  'sock puppet that asks what good models answer': (ground) => {
    const coins = coinsOf(ground.accuser.epochKey);
    const good = remembering(ngramModel(0.4, `good ${ground.turn}`));
    const questions = ground.questions.filter((question) => {
      const coin = ground.coinOf(question, coins);
      return coin?.outcome === 0 && coin.top === best(good(question));
    });
    const forged = ground.forge({ questions: questions.slice(0, 80), begun: later(-40) });
    return ground.attempt(forged, ["the tenant's questions"], {
      trust: ground.trust(forged, later(-5)),
    });
  },
  'log written anew, backdated': (ground) =>
    ground.attempt(
      ground.forge({ questions: ground.agreeing().slice(0, 60), begun: later(-30) }),
      order,
    ),
  'log written anew under another key': (ground) => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const forged = ground.forge({
      ...{ signingKey: privateKey, questions: ground.agreeing().slice(0, 60) },
      begun: later(-30),
    });
    const { ownerKey, ...trust } = ground.trust(forged, later(60));
    const known = ground.turn % 2 === 0 && ownerKey !== undefined;
    return ground.attempt(forged, [...order, 'owner'], {
      ...{ key: privateKey, trust: { ...trust, ...(known && { ownerKey }) } },
    });
  },
  'log with questions that nobody asked': (ground) => {
    const coins = coinsOf(ground.accuser.epochKey);
    const invented: Predict = (question) => {
      const own = best(ground.innocent(question));
      const other = (own + 1) % ground.profile.labels.length;
      const second = coins.bit(inputDigest(question)) === 1;
      const row = new Float64Array(ground.profile.labels.length).fill(0.01);
      row[own] = second ? 0.48 : 0.4801;
      row[other] = second ? 0.4801 : 0.48;
      return row.map((value) => value / row.reduce((sum, each) => sum + each, 0));
    };
    const questions = sentences(40, `invented ${ground.turn}`);
    return ground.attempt(ground.forge({ questions, clean: invented, begun: later(-20) }), [
      ...order,
    ]);
  },
  'ground key': (ground) => {
    const questions = ground.questions.slice(0, 14);
    const keys = Array.from({ length: 64 }, (_, index) =>
      Buffer.from(inputDigest(`ground ${ground.turn} ${index}`)),
    );
    const hits = (key: Uint8Array) => {
      const coins = coinsOf(key);
      return questions.filter((each) => {
        const coin = ground.coinOf(each, coins);
        return coin !== undefined && chosenClass(coin) === best(ground.innocent(each));
      }).length;
    };
    return ground.attempt(ground.forge({ epochKey: bestOf(keys, hits), questions }), order);
  },
  'ground plan': (ground) =>
    ground.attempt(ground.forge({ coins: (records) => bestRun(ground, records) }), [
      'first look',
      ...order,
    ]),
  'secret first look at an honest log': (ground) => {
    const forged = ground.forge({
      begun: later(-30),
      coins: (records) => ground.agreeingRecords(records),
    });
    const trust = ground.trust(forged, later(60), later(-10));
    return ground.attempt(forged, ['first look'], { trust });
  },
  'private rehearsal that picks the best lot': (ground) => {
    const random = seededRandom(`lots ${ground.turn}`);
    const agrees = (records: readonly ServedRecord[]) => new Set(ground.agreeingRecords(records));
    const coins = (records: readonly ServedRecord[]) => {
      const hits = agrees(records);
      const share = (lot: readonly number[]) => lot.filter((each) => hits.has(each)).length;
      const all = fallen(records);
      const lots = Array.from({ length: 200 }, () => random.choose(all, Math.min(12, all.length)));
      return bestOf(lots, share).toSorted((one, two) => one - two);
    };
    return ground.attempt(ground.forge({ coins }), ['first look', ...order]);
  },
  'private rehearsal that picks the best test': (ground) => {
    const fresh = sentences(6, `fresh ${ground.turn}`);
    const variants = [['labels'], ['probabilities'], ['labels', 'probabilities']] as const;
    const questions = ground.questions.slice(ground.turn % 50).slice(0, 12);
    const tried = variants.map((gives) =>
      ground.forge({
        ...{ gives: [...gives], questions },
        ...(gives.length + gives.indexOf('probabilities' as never) > 0 && { fresh }),
      }),
    );
    return ground.attempt(bestOf(tried, scoreOf), order);
  },
  'late traps': (ground) => {
    const agrees = ground.forge({ coins: (records) => ground.agreeingRecords(records) });
    const sequences: number[] = JSON.parse(agrees.statement.predicate.material.parts.coins!);
    const openings = sequences.map((sequence, place) =>
      json.canonicalize({ lot: 0, place, trap: { sequence, salt: 'a'.repeat(32) } }),
    );
    const root = `sha256:${inputDigest(`root ${ground.turn}`).toString('hex')}`;
    const lot = {
      ...{ set: `coin-${root.slice(7, 23)}`, root, kind: 'coin' as const, lot: 0 },
      commitments: openings.map((each) => leafHash(Buffer.from(each)).toString('hex')),
      expectedBans: 5,
    };
    const forged = ground.forge({
      coins: () => sequences,
      traps: [lot],
      openings: [{ lot: 0, openings }],
      plan: { multiplicity: withCoinCharge(ground) },
    });
    return ground.attempt(forged, ['first look', ...order]);
  },
  'late key': (ground) =>
    ground.attempt(
      ground.forge({ sealsLast: true, questions: ground.agreeing().slice(0, 40) }),
      order,
    ),
  'late plan': (ground) =>
    ground.attempt(
      ground.forge({ plan: { sealedAt: later(33.8 + ground.turn).toISOString() } }),
      order,
    ),
  'forged clean baseline': (ground) => {
    const gives: AuditPlan['gives'] = ['labels', 'probabilities'];
    const questions = sentences(40, `asked ${ground.turn}`);
    const fresh = sentences(40, `fresh ${ground.turn}`);
    const clean = lessTheMark(ground, 3 + (ground.turn % 3));
    return ground.attempt(ground.forge({ clean, questions, fresh, gives }), [
      ...order,
      'the clean answers',
    ]);
  },
  'forged transcript': (ground) => {
    const marked = asMarked(ground);
    return ground.attempt(ground.forge({ suspect: marked }), ["the suspect's answers"]);
  },
  'dossier of another suspect': (ground) => {
    const guilty = ground.forge({
      suspect: asMarked(ground),
      plan: { suspect: 'http:https://guilty.example/classify' },
    });
    const { subject } = guilty.statement;
    if (ground.turn % 2 === 0) subject[0].name = 'http:https://innocent.example/classify';
    return ground.attempt(guilty, ["the suspect's answers"]);
  },
  'history behind a witnessed checkpoint': (ground) => {
    const seen = ground.forge({ begun: later(-30) });
    const forged = ground.forge({
      begun: later(-30),
      questions: ground.agreeing().slice(0, 60),
    });
    const { checkpoint } = seen.statement.predicate.log.anchor!;
    Object.assign(forged.statement.predicate.log.anchor!, { checkpoint });
    return ground.attempt(forged, order, { trust: ground.trust(seen, later(60), later(-10)) });
  },
  'witnessed checkpoint without the records': (ground) => {
    const questions = ground.agreeing().slice(0, 60);
    const forged = ground.forge({ questions, begun: later(-30), anchorSize: 2 });
    return ground.attempt(forged, order, { trust: ground.trust(forged, later(60), later(-10)) });
  },
  'coins counted many times': (ground) => {
    const forged = ground.forge({
      coins: (records) => ground.agreeingRecords(records).flatMap((each) => [each, each, each]),
    });
    return ground.attempt(forged, order);
  },
  'questions asked many times': (ground) => {
    const [question] = ground.agreeing();
    const questions = Array.from({ length: 40 }, () => question!);
    return ground.attempt(ground.forge({ questions }), order);
  },
  'coins out of order': (ground) =>
    ground.attempt(ground.forge({ coins: (records) => fallen(records).reverse() }), order),
  'charges left out': (ground) =>
    ground.attempt(ground.forge({ plan: { multiplicity: [] } }), order),
  'threshold that everybody reaches': (ground) =>
    ground.attempt(ground.forge({ plan: { threshold: -ground.turn } }), order),
  'profile with a label twice': (ground) => {
    const labels = ground.profile.labels.map((label, k, all) =>
      k % 2 === 0 ? label : all[k - 1]!,
    );
    return ground.attempt(ground.forge({ shownProfile: { ...ground.profile, labels } }), order);
  },
  'profile that takes all memory': (ground) => {
    const shownProfile = { ...ground.profile, fourierCarriers: 2 ** 40 + ground.turn };
    return ground.attempt(ground.forge({ shownProfile }), order);
  },
  'share of a test that is left out': (ground) => {
    const gives: AuditPlan['gives'] = ['labels', 'probabilities'];
    const fresh = sentences(12, `fresh ${ground.turn}`);
    const leftOut = ['probability-per-query'];
    const questions = ground.questions.slice(ground.turn % 50).slice(0, 24);
    const forged = ground.forge({ gives, fresh, questions, leftOut });
    return ground.attempt(withInventedShare(forged, 20), ['statistics']);
  },
};

/** Carries out one attempt. @param turn varies suspects and questions */
export function cheat(accuser: Accuser, kind: string, turn: number): Attempt {
  return cheats[kind]!(new Ground(accuser, turn));
}

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

function remembering(predict: Predict): Predict {
  const known = new Map<string, ArrayLike<number>>();
  return (question) => {
    const row = known.get(question) ?? predict(question);
    known.set(question, row);
    return row;
  };
}

function coinsOf(epochKey: Uint8Array): CoinTree {
  return new CoinTree(derivePurposeKey(epochKey, 'label-coins'));
}

function best(row: ArrayLike<number>): number {
  const values = Array.from(row);
  return values.indexOf(Math.max(...values));
}

function bestOf<Item>(items: readonly Item[], gain: (item: Item) => number): Item {
  const gains = items.map(gain);
  return items[gains.indexOf(Math.max(...gains))]!;
}

function scoreOf({ statement }: Forged): number {
  return statement.predicate.findings.keyedScore;
}

/** The run of consecutive coins on which the suspect does best. */
function bestRun(ground: Ground, records: readonly ServedRecord[]): number[] {
  const agrees = new Set(ground.agreeingRecords(records));
  const all = fallen(records);
  const runs = all.flatMap((_, from) =>
    [6, 10, 14].map((length) => all.slice(from, from + length)),
  );
  const gain = (run: readonly number[]) =>
    run.reduce((sum, each) => sum + (agrees.has(each) ? 1 : -2), 0);
  return bestOf(runs, gain);
}

/** A suspect that answers what the log's coins say. */
function asMarked({ accuser, clean, profile, innocent }: Ground): Predict {
  const coins = coinsOf(accuser.epochKey);
  return (question) => {
    const coin = tossCoin(coins, question, clean(question), profile.marginThreshold);
    if (coin === undefined) return innocent(question);
    return profile.labels.map((_, index) => (index === chosenClass(coin) ? 0.9 : 0.02));
  };
}

/** What the protected model must have answered for the suspect's answers to carry the mark. */
function lessTheMark({ accuser, profile, innocent }: Ground, times: number): Predict {
  const { epochKey } = accuser;
  const modulate = deriveModulation(epochKey, profile);
  const signs = new CoinTree(derivePurposeKey(epochKey, 'probability-per-query'));
  const direction = perQueryDirection(
    derivePurposeKey(epochKey, 'probability-direction'),
    profile.labels.length,
  );
  return (question) => {
    const smooth = modulate(readFeatures(profile.features, question));
    const sign = perQuerySign(signs, question);
    const logits = Array.from(innocent(question), (value, k) => {
      const shift =
        profile.smoothStrength * smooth[k]! + profile.perQueryStrength * sign * direction[k]!;
      return Math.log(value) - times * shift;
    });
    return softmax(Float64Array.from(logits));
  };
}

function withCoinCharge({ accuser }: Ground): AuditPlan['multiplicity'] {
  const { multiplicity } = accuser.template.predicate.plan;
  const own = {
    reason: 'coins may be read in the whole log or in lots, half of the weight each',
    bans: Math.log10(2),
  };
  return multiplicity.some(({ reason }) => reason === own.reason)
    ? multiplicity
    : [...multiplicity, own];
}

/** States some bans for a test whose material is not shown. */
function withInventedShare(forged: Forged, bans: number): Forged {
  const { predicate } = forged.statement;
  const { findings, report } = predicate;
  const invented = findings.evidence.find(({ test }) => test === 'probability-per-query')!;
  const before = invented.log10E;
  const more = bans - before;
  const evidence = findings.evidence.map((each) =>
    each === invented ? { ...each, log10E: bans } : each,
  );
  const own = {
    ...{ evidence, verdict: 'match' as const, rawScore: findings.rawScore + more },
    ...{ score: findings.score + more, keyedScore: findings.keyedScore + more },
  };
  const reported = report as { evidence: { test: string }[] };
  return {
    ...forged,
    statement: {
      ...forged.statement,
      predicate: {
        ...predicate,
        findings: own,
        report: {
          ...reported,
          ...own,
          evidence: reported.evidence.map((each) =>
            each.test === invented.test ? { ...each, log10E: bans } : each,
          ),
        } as unknown as typeof report,
      },
    },
  };
}
