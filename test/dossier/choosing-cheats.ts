import { generateKeyPairSync } from 'node:crypto';
import { json } from '@sigstore/core';
import type { AuditPlan } from '../../src/audit/plan.ts';
import type { ServedRecord } from '../../src/contracts.ts';
import { inputDigest } from '../../src/keys/canonical-input.ts';
import { leafHash } from '../../src/keys/merkle.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { chosenClass } from '../../src/watermark/label/coins.ts';
import { ngramModel, type Predict, sentences } from '../operations/audit-scene.ts';
import { fallen } from './forged-log.ts';
import {
  best,
  bestOf,
  type Cheat,
  coinsOf,
  type Ground,
  later,
  order,
  remembering,
} from './ground.ts';
import type { Forged } from './workshop.ts';

/** Cheats that choose what is asked, under which key and plan, by what the suspect answers. */
export const choosingCheats: Readonly<Record<string, Cheat>> = {
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
};

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
