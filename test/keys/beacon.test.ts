import { describe, expect, it } from 'vitest';
import {
  type BeaconChain,
  type BeaconName,
  type BeaconRound,
  beaconChains,
  firstRoundAfter,
  parseChain,
  parseRound,
  roundAt,
  timeOf,
  verifyRound,
} from '../../src/keys/beacon.ts';
import vectorFile from '../vectors/beacon.json' with { type: 'json' };

const vectors = vectorFile.rounds.map(({ chain, round, at }) => ({
  chain: beaconChains[chain as BeaconName],
  name: chain,
  round: parseRound(round),
  at: Date.parse(at),
  randomness: 'randomness' in round ? round.randomness : undefined,
}));
const [first, , quicknet] = vectors;

describe('drand rounds', () => {
  it.each(vectors)('verifies $round.round of the chain $name', ({ chain, round, randomness }) => {
    const found = Buffer.from(verifyRound(chain, round)).toString('hex');
    expect(found).toBe(randomness ?? found);
    const { randomness: _, ...short } = round;
    expect(Buffer.from(verifyRound(chain, short)).toString('hex')).toBe(found);
    expect(found).toHaveLength(64);
  });

  it('refuses another round, chain, predecessor, signature and randomness', () => {
    const refused = (chain: BeaconChain, round: BeaconRound) =>
      expect(() => verifyRound(chain, round)).toThrow(
        expect.objectContaining({ code: 'EVIDENCE_INVALID' }),
      );
    const flip = (hex: string, at: number) =>
      `${hex.slice(0, at)}${(Number.parseInt(hex[at]!, 16) ^ 1).toString(16)}${hex.slice(at + 1)}`;
    for (const { chain, round } of [first!, quicknet!]) {
      refused(chain, { ...round, round: round.round + 1 });
      refused(chain === beaconChains.default ? beaconChains.quicknet : beaconChains.default, round);
      for (const at of [0, 1, 40]) {
        refused(chain, { ...round, signature: flip(round.signature, at) });
      }
      refused(chain, { ...round, signature: round.signature.slice(2) });
      refused(chain, { ...round, signature: `c0${'00'.repeat(round.signature.length / 2 - 1)}` });
      refused(chain, { ...round, randomness: flip(round.randomness!, 5) });
    }
    const { previous_signature: previous, ...alone } = first!.round;
    refused(beaconChains.default, alone);
    refused(beaconChains.default, { ...alone, previous_signature: flip(previous!, 3) });
  });

  it.each([
    [null],
    [{}],
    [{ ...quicknet!.round, round: 0 }],
    [{ ...quicknet!.round, round: 1.5 }],
    [{ ...quicknet!.round, signature: 'B4' }],
    [{ ...quicknet!.round, signature: 'b' }],
    [{ ...quicknet!.round, signature: 'b4'.repeat(1000) }],
  ])('reads no round from %j', (value) => {
    expect(() => parseRound(value)).toThrow(/round is malformed/);
  });

  it('reads a chain as drand describes it, and refuses other schemes', () => {
    const { hash, publicKey, genesisSeconds, periodSeconds, scheme } = beaconChains.quicknet;
    const info = {
      ...{ hash, public_key: publicKey, genesis_time: genesisSeconds, period: periodSeconds },
      ...{ schemeID: scheme, groupHash: 'f4', metadata: { beaconID: 'quicknet' } },
    };
    expect(parseChain(info)).toEqual(beaconChains.quicknet);
    for (const bad of [
      { ...info, schemeID: 'bls-unchained-on-g1' },
      { ...info, period: 0 },
      null,
    ]) {
      expect(() => parseChain(bad)).toThrow(/description is malformed/);
    }
  });

  it.each(vectors)('knows when $round.round of $name was published', ({ chain, round, at }) => {
    expect(timeOf(chain, round.round)).toBe(at);
    expect(roundAt(chain, at)).toBe(round.round);
    expect(roundAt(chain, at - 1)).toBe(round.round - 1);
    expect(firstRoundAfter(chain, at - 1)).toBe(round.round);
    expect(firstRoundAfter(chain, at)).toBe(round.round + 1);
    expect(firstRoundAfter(chain, 0)).toBe(1);
  });
});
