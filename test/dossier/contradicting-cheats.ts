import type { AuditPlan } from '../../src/audit/plan.ts';
import { CoinTree } from '../../src/keys/coin-tree.ts';
import { derivePurposeKey } from '../../src/keys/derivation.ts';
import { deriveModulation } from '../../src/watermark/classifier-marker.ts';
import { readFeatures } from '../../src/watermark/classifier-profile.ts';
import { chosenClass, tossCoin } from '../../src/watermark/label/coins.ts';
import { softmax } from '../../src/watermark/probability/distribution.ts';
import { perQueryDirection, perQuerySign } from '../../src/watermark/probability/per-query.ts';
import { type Predict, sentences } from '../operations/audit-scene.ts';
import { fallen } from './forged-log.ts';
import { type Cheat, coinsOf, type Ground, later, order } from './ground.ts';
import type { Forged } from './workshop.ts';

/** Cheats that say what is not so: of answers, times, history, charges, or how often one coin counts. */
export const contradictingCheats: Readonly<Record<string, Cheat>> = {
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
