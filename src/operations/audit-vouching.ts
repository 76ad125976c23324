import { setTimeout } from 'node:timers/promises';
import pRetry from 'p-retry';
import type { SealedPlan } from '../audit/plan.ts';
import {
  noVouchers,
  planDigest,
  requireVouchers,
  roundOf,
  type Vouchers,
  vouchersSchema,
} from '../audit/vouchers.ts';
import type { Config } from '../config/schema.ts';
import type { BeaconConfig } from '../config/vouching.ts';
import { TouchmarkError } from '../errors.ts';
import {
  type BeaconChain,
  type BeaconName,
  type BeaconRound,
  beaconChains,
  parseChain,
  timeOf,
} from '../keys/beacon.ts';
import { fetchRound, findRound } from '../models/adapters/beacon.ts';
import { fetchTimestamp } from '../models/adapters/timestamp-authority.ts';
import type { AuditDirectory } from '../store/audit-directory.ts';
import { parseDocument, readJsonDocument } from '../store/json-document.ts';
import { readTextIfPresent } from '../store/project-files.ts';

/** A round is at its relays a moment after it is due. */
const attempts = 6;

/** Returns the chain that the configuration names, or undefined where it names none. */
export async function configuredChain({ audit }: Config): Promise<BeaconChain | undefined> {
  if (audit.beacon === undefined) return undefined;
  const { chain } = audit.beacon;
  if (chain in beaconChains) return beaconChains[chain as BeaconName];
  return parseChain(await readJsonDocument(chain, 'description of a drand chain'));
}

/**
 * Has others vouch for a sealed plan, as far as the configuration names any, and keeps what they say
 * before the first question. A plan that was vouched for before keeps its vouchers.
 *
 * @throws TouchmarkError RUN_INCOMPLETE when authority or beacon cannot be had now: the run can be
 *   resumed; EVIDENCE_INVALID for vouchers that are not of this plan
 */
export async function vouchForPlan(
  run: AuditDirectory,
  sealed: SealedPlan,
  { config, signal }: { readonly config: Config; readonly signal: AbortSignal },
): Promise<Vouchers> {
  const vouchers = (await keptVouchers(run)) ?? (await askAuthority(sealed, config, signal));
  await run.writeVouchers(textOf(vouchers));
  if (sealed.plan.beacon !== null && vouchers.beacon === null) {
    const beacon = await awaitRound(sealed, vouchers, config, signal);
    await run.writeVouchers(textOf({ ...vouchers, beacon }));
    return checked(sealed, { ...vouchers, beacon });
  }
  return checked(sealed, vouchers);
}

async function keptVouchers(run: AuditDirectory): Promise<Vouchers | undefined> {
  const text = await run.readVouchers();
  if (text === undefined) return undefined;
  const { data } = vouchersSchema.safeParse(parseDocument(text, run.path));
  if (data !== undefined) return data;
  throw new TouchmarkError('EVIDENCE_INVALID', `The vouchers in ${run.path} are damaged.`, {
    hint: 'Restore the file from a copy, or start a new audit in an empty directory.',
  });
}

function textOf(vouchers: Vouchers): string {
  return `${JSON.stringify(vouchers, null, 2)}\n`;
}

function checked(sealed: SealedPlan, vouchers: Vouchers): Vouchers {
  requireVouchers(sealed, vouchers);
  return vouchers;
}

/** The token is kept before the round is waited for: which round it is depends on the token. */
async function askAuthority(
  { hash }: SealedPlan,
  { audit: { timestampAuthority } }: Config,
  signal: AbortSignal,
): Promise<Vouchers> {
  if (timestampAuthority === undefined) return noVouchers;
  const token = await orResumable('timestamp', () =>
    fetchTimestamp(new URL(timestampAuthority), planDigest(hash), signal),
  );
  return { planToken: token.toString('base64'), beacon: null };
}

async function awaitRound(
  sealed: SealedPlan,
  { planToken }: Vouchers,
  config: Config,
  signal: AbortSignal,
): Promise<NonNullable<Vouchers['beacon']>> {
  const { beacon } = config.audit;
  const chain = await configuredChain(config);
  if (beacon === undefined || chain?.hash !== sealed.plan.beacon) {
    throw new TouchmarkError(
      'RUN_CONFLICT',
      `the plan was sealed for the drand chain ${sealed.plan.beacon}, which audit.beacon does not name`,
      { hint: 'resume with what was sealed, or start a new audit in an empty directory' },
    );
  }
  const number = roundOf(sealed, chain, planToken);
  const round = await orResumable(`round ${number} of the drand chain ${chain.hash}`, () =>
    roundFrom(beacon, chain, number, signal),
  );
  return { chain, round };
}

async function roundFrom(
  { relay, rounds }: BeaconConfig,
  chain: BeaconChain,
  round: number,
  signal: AbortSignal,
): Promise<BeaconRound> {
  const due = timeOf(chain, round) - Date.now();
  await setTimeout(Math.max(0, due), undefined, { signal }).catch(() => signal.throwIfAborted());
  if (relay === undefined) return findRound((await readTextIfPresent(rounds!)) ?? '', round);
  return pRetry(() => fetchRound({ relay: new URL(relay), chain, round, signal }), {
    retries: attempts - 1,
    minTimeout: (1000 * chain.periodSeconds) / 2,
    factor: 1,
    signal,
  });
}

/** What is missing now can be there later, and the plan stays sealed. */
async function orResumable<Value>(what: string, get: () => Promise<Value>): Promise<Value> {
  try {
    return await get();
  } catch (cause) {
    if (!TouchmarkError.isInstance(cause) || cause.code === 'INTERRUPTED') throw cause;
    throw new TouchmarkError(
      'RUN_INCOMPLETE',
      `The plan is sealed and nothing was asked yet: its ${what} is missing: ${cause.message}`,
      {
        hint: 'Go on with --resume once it can be had; rounds can be put into the file audit.beacon.rounds.',
        cause,
      },
    );
  }
}
