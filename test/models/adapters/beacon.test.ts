import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { beaconChains, verifyRound } from '../../../src/keys/beacon.ts';
import { fetchRound, findRound } from '../../../src/models/adapters/beacon.ts';
import vectorFile from '../../vectors/beacon.json' with { type: 'json' };

const { rounds } = vectorFile;
const { signal } = new AbortController();
const round = rounds[2]!.round;

/** A relay that answers every path the same way, and remembers the paths. */
async function relayOf(body: string, path = '/') {
  const paths: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url);
    response.setHeader('content-type', 'application/json');
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  const { port } = server.address() as AddressInfo;
  return { relay: new URL(`http://127.0.0.1:${port}${path}`), paths };
}

describe('a drand relay', () => {
  it.each([
    '/',
    '/mirror/',
  ])('is asked under %s for a round of a chain by its hash', async (path) => {
    const { relay, paths } = await relayOf(JSON.stringify(round), path);
    const found = await fetchRound({ relay, chain: beaconChains.quicknet, round: 1000, signal });
    expect(Buffer.from(verifyRound(beaconChains.quicknet, found)).toString('hex')).toBe(
      round.randomness,
    );
    expect(paths).toEqual([`${path}${beaconChains.quicknet.hash}/public/1000`]);
  });

  it.each([
    ['another round', JSON.stringify({ ...round, round: 7 }), /gave round 7 instead of 1000/],
    ['no round', '{"round":"1000"}', /is malformed/],
    ['a flood', `"${'x'.repeat(100_000)}"`, /./],
    ['no JSON', '<html>', /./],
  ])('that gives %s is refused', async (_, body, message) => {
    const { relay } = await relayOf(body);
    const asked = fetchRound({ relay, chain: beaconChains.quicknet, round: 1000, signal });
    await expect(asked).rejects.toThrow(message);
  });
});

describe('a file of rounds', () => {
  it('is one round, a list, or one a line', () => {
    const all = rounds.map((each) => each.round).slice(1, 3);
    const quicknet = rounds.slice(2).map((each) => each.round);
    for (const text of [
      JSON.stringify(round, undefined, 2),
      JSON.stringify(quicknet),
      `${quicknet.map((each) => JSON.stringify(each)).join('\n')}\n\n`,
    ]) {
      expect(findRound(text, 1000)).toEqual(round);
      expect(() => findRound(text, 999)).toThrow(/does not hold 999/);
    }
    expect(findRound(JSON.stringify(all), 1000)).toEqual(all[0]);
    expect(() => findRound('', 1000)).toThrow(/does not hold/);
    expect(() => findRound('{"round":1}\nnonsense', 1000)).toThrow(/malformed/);
  });
});
