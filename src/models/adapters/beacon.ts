import { TouchmarkError } from '../../errors.ts';
import { parseJson } from '../../json.ts';
import { type BeaconChain, type BeaconRound, parseRound } from '../../keys/beacon.ts';
import { display } from './address.ts';
import { Transport } from './transport.ts';

/** A round has under a kilobyte. */
const responseLimitBytes = 64 * 1024;

/**
 * Asks a drand relay for one round, which nobody has verified yet.
 *
 * @param options.relay such as `https://api.drand.sh`; the chain's hash and the round are added
 * @throws TouchmarkError SUSPECT_UNREACHABLE, SUSPECT_REFUSED or SUSPECT_ANSWER_INVALID as `Transport`;
 *   EVIDENCE_INVALID for an answer that is no round, or another one
 */
export async function fetchRound(options: {
  readonly relay: URL;
  readonly chain: BeaconChain;
  readonly round: number;
  readonly signal: AbortSignal;
}): Promise<BeaconRound> {
  const { relay, chain, round, signal } = options;
  const address = new URL(relay);
  const base = address.pathname.replace(/\/+$/, '');
  address.pathname = `${base}/${chain.hash}/public/${round}`;
  const transport = new Transport({ responseLimitBytes, timeoutMilliseconds: 10_000, retries: 2 });
  try {
    const found = parseRound(await transport.get(address, signal));
    if (found.round === round) return found;
    throw new TouchmarkError(
      'EVIDENCE_INVALID',
      `${display(address)} gave round ${found.round} instead of ${round}.`,
      { hint: 'Ask another relay of the chain, or give the rounds as a file.' },
    );
  } finally {
    await transport.close();
  }
}

/**
 * Returns a round from the text of a file: one round as JSON, a list of them, or one a line.
 *
 * @throws TouchmarkError EVIDENCE_INVALID when the text holds no such round or something else
 */
export function findRound(text: string, round: number): BeaconRound {
  const found = roundsOf(text).find((each) => each.round === round);
  if (found !== undefined) return found;
  throw new TouchmarkError('EVIDENCE_INVALID', `The file of rounds does not hold ${round}.`, {
    hint: 'Add the round, as a relay of the chain gives it.',
  });
}

function roundsOf(text: string): BeaconRound[] {
  const whole = parseJson(text);
  if (Array.isArray(whole)) return whole.map(parseRound);
  if (whole !== undefined) return [parseRound(whole)];
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => parseRound(parseJson(line)));
}
