import { describe, expect, it } from 'vitest';
import {
  judgeRelay,
  type RelayJudgement,
  type RelaySightings,
  relayCoins,
  relayLevel,
  relaySightings,
} from '../../src/audit/relay.ts';
import { relaySays } from '../../src/audit/relay-words.ts';
import { CoinTree } from '../../src/keys/coin-tree.ts';
import { adjustedLowerBound } from '../../src/stats/bounds.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { chosenClass, tossCoin } from '../../src/watermark/label/coins.ts';

const profile = { labels: ['ash', 'birch', 'cedar'], marginThreshold: 0.2 };
const random = seededRandom('relay');

function key(): CoinTree {
  return new CoinTree(Uint8Array.from({ length: 32 }, () => random.integer(256)));
}

/** Questions whose two best labels are close, and one in four that has a clear answer. */
function questions(count: number, name: string) {
  return Array.from({ length: count }, (_, index) => ({
    input: `${name} ${index}`,
    clean: index % 4 === 0 ? [0.1, 0.8, 0.1] : [0.44, 0.15, 0.41],
  }));
}

describe('coins of keys in use', () => {
  it('accuse no more innocents than their level allows, whatever the number of tenants', () => {
    const trials = 600;
    let [alarms, sum] = [0, 0];
    for (let trial = 0; trial < trials; trial += 1) {
      const lean = random.uniform();
      const asked = questions(32, `innocent ${trial}`).map((each) => ({
        ...each,
        label: random.uniform() < lean ? 'ash' : 'cedar',
      }));
      const { log10E } = relayCoins(asked, [key(), key(), key()], profile);
      if (log10E >= -Math.log10(relayLevel)) alarms += 1;
      sum += Math.min(200, 10 ** log10E);
    }
    expect(adjustedLowerBound(alarms, trials, 0.999, 2)).toBeLessThanOrEqual(relayLevel);
    expect(sum / trials).toBeLessThan(2);
  });

  it('are of the tenant that the suspect asks as, and answers outside the pair tell nothing', () => {
    const [own, other] = [key(), key()];
    const asked = questions(40, 'relayed').map((each, index) => {
      const coin = tossCoin(own, each.input, each.clean, profile.marginThreshold);
      const label = coin === undefined ? 'birch' : profile.labels[chosenClass(coin)];
      return { ...each, label: index % 10 === 1 ? 'birch' : label };
    });
    const found = relayCoins(asked, [other, own], profile);
    expect(found).toMatchObject({ asked: 26, agreeing: 26, keys: 2 });
    expect(found.log10E).toBeGreaterThan(6);
    expect(relayCoins(asked, [other], profile).log10E).toBeLessThan(1);
    expect(relayCoins(asked, [], profile)).toEqual({ asked: 0, agreeing: 0, keys: 0, log10E: 0 });
    const silent = asked.map((each) => ({ ...each, label: undefined }));
    expect(relayCoins(silent, [own], profile).asked).toBe(0);
  });
});

describe('questions in the serving log', () => {
  const hour = 3_600_000;
  const times = { logSince: -90 * hour, sealedAt: 0, windowMilliseconds: 30_000 };
  const asked = Array.from({ length: 40 }, (_, index) => ({
    digest: `q${index}`,
    answeredAt: ((index + 1) * hour) / 40,
  }));

  it('count those that nobody had asked before, by tenant and by time', () => {
    const served = [
      { digest: 'q0', tenant: 'a', servedAt: -2 * hour },
      { digest: 'q0', tenant: 'a', servedAt: 1000 },
      { digest: 'q1', tenant: 'a', servedAt: -hour / 2 },
      { digest: 'q2', tenant: 'a', servedAt: asked[2]!.answeredAt - 20_000 },
      { digest: 'q3', tenant: 'b', servedAt: asked[3]!.answeredAt - 60_000 },
      { digest: 'q3', tenant: 'b', servedAt: asked[3]!.answeredAt + 60_000 },
      { digest: 'q4', tenant: 'b', servedAt: 3 * hour },
      { digest: 'other', tenant: 'b', servedAt: 1000 },
    ];
    expect(relaySightings(asked, served, 'a', times)).toMatchObject({
      ...{ probes: 38, found: 2, ofAuditedTenant: 1, tenants: 2, inWindow: 1, earlier: 1 },
      share: 0.5,
      log10P: expect.closeTo(Math.log10(0.5), 12),
    });
  });

  it('are no sign where the log is too young to compare with', () => {
    const served = asked.map(({ digest, answeredAt }) => ({
      ...{ digest, tenant: 'a', servedAt: answeredAt },
    }));
    expect(relaySightings(asked, served, 'a', times).log10P).toBeLessThan(-9);
    const young = relaySightings(asked, served, 'a', { ...times, logSince: 0 });
    expect(young).toMatchObject({ found: 40, share: 1, log10P: 0 });
  });

  it('accuse no more than their level allows where customers come upon them by themselves', () => {
    const trials = 2000;
    let alarms = 0;
    for (let trial = 0; trial < trials; trial += 1) {
      const rate = random.uniform();
      const served = asked
        .filter(() => random.uniform() < rate)
        .map(({ digest }) => ({
          ...{ digest, tenant: 'a', servedAt: (4 * random.uniform() - 2) * hour },
        }));
      const { log10P } = relaySightings(asked, served, 'a', times);
      if (log10P <= Math.log10(relayLevel)) alarms += 1;
    }
    expect(adjustedLowerBound(alarms, trials, 0.999, 2)).toBeLessThanOrEqual(relayLevel);
  });
});

describe('the finding', () => {
  const quiet: RelaySightings = {
    ...{ probes: 160, found: 0, ofAuditedTenant: 0, tenants: 0, inWindow: 0, earlier: 0 },
    ...{ share: 0.5, log10P: 0 },
  };
  const coins = (asked: number, log10E: number, keys = 1) => ({
    ...{ asked, agreeing: asked, keys, log10E },
  });

  const wordsOf = (judgement: RelayJudgement) =>
    relaySays(judgement, { epochClosed: true, coins: coins(20, 0), sightings: quiet });

  it('speaks for a relay by either sign, whether the epoch is closed or not', () => {
    expect(judgeRelay(false, coins(20, 2.4), quiet).finding).toBe('relay-likely');
    const seen = judgeRelay(true, coins(20, -1), { ...quiet, log10P: -2.4 });
    expect(seen).toMatchObject({ finding: 'relay-likely', shown: { coins: false, log: true } });
    expect(wordsOf(seen)).toContain('it may answer by itself, and ask us to compare or to learn');
    const both = judgeRelay(true, coins(20, 3), { ...quiet, log10P: -9 });
    expect(wordsOf(both)).toContain('Its answers then are ours');
    expect(judgeRelay(true, coins(20, 2.2), { ...quiet, log10P: -2.2 }).finding).toBe('no-sign');
  });

  it('excludes none where the epoch is open, or where a relay would not have shown', () => {
    expect(judgeRelay(false, coins(20, -1), quiet).finding).toBe('not-testable');
    const few = { ...quiet, probes: 7 };
    expect(judgeRelay(true, coins(9, -1), few)).toMatchObject({
      finding: 'not-testable',
      able: { coins: false, log: false },
    });
    expect(judgeRelay(true, coins(10, -1), few).able).toEqual({ coins: true, log: false });
    expect(judgeRelay(true, coins(10, -1, 50), few).finding).toBe('not-testable');
    expect(judgeRelay(true, coins(0, 0, 0), { ...quiet, probes: 8 })).toMatchObject({
      finding: 'no-sign',
      able: { coins: false, log: true },
    });
  });
});
