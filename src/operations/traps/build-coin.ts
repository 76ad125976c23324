import { randomBytes } from 'node:crypto';
import { firstOccurrences } from '../../audit/material.ts';
import type { ServedRecord } from '../../contracts.ts';
import { classifierKeys } from '../../keys/classifier-keys.ts';
import { derivePurposeKey } from '../../keys/derivation.ts';
import { thinCoins } from '../../models/training/coin-thinning.ts';
import { measureStealth } from '../../models/training/stealth.ts';
import { type ChosenCoins, chooseCoins, dealCoins } from '../../traps/kinds/coin-choice.ts';
import { activeSets, type TrapStock, type TrapTarget } from '../../traps/stock.ts';
import type { TrapSet } from '../../traps/trap-set.ts';
import { margin, tossCoin } from '../../watermark/label/coins.ts';
import { topTwo } from '../../watermark/probability/distribution.ts';
import { expectedBans } from './expected-bans.ts';
import { type LoggedEpoch, readLoggedEpoch } from './logged-epoch.ts';
import type { BuiltTraps, TrapRequest, TrapSource } from './source.ts';

/** What the log offers for one set. */
interface Offer extends LoggedEpoch {
  /** First occurrences in the epoch. */
  readonly questions: readonly ServedRecord[];
  /** Sequences of the questions that a coin answered. */
  readonly fallen: ReadonlySet<number>;
  readonly from: number;
}

/**
 * Builds coin traps for one tenant's epoch from the verified serving log: the coins that fell after
 * the last sealed set, and after what audits without traps have shown, thinned to look like the
 * tenant's other questions and dealt into `traps.coinLots` lots. Of a question that was asked again
 * only the first occurrence in the epoch counts, so that no coin is in two sets.
 *
 * A log that does not verify, or was marked under another key, throws; whatever else stands in the
 * way is said in `why`.
 */
export const coinTraps: TrapSource = { kind: 'coin', build: buildCoinTraps };

async function buildCoinTraps(request: TrapRequest): Promise<BuiltTraps> {
  const { tenant, epoch } = request.target;
  if (tenant === null || epoch === null) throw new RangeError('coin traps are for one epoch');
  if (!isWorthASet(request)) {
    return nothing(
      `The stock of ${tenant} in ${epoch} lacks ${request.wanted} coins; a set is sealed once it lacks one for each of ${request.project.config.traps.coinLots} lots.`,
    );
  }
  const logged = await readLoggedEpoch(request.project, request.keyRing, tenant, epoch);
  if ('why' in logged) return nothing(logged.why);
  const last = logged.records.at(-1)!.sequence;
  const { looked, shown } = placesIn(request.stock, request.target);
  const after = Math.max(looked, shown);
  const offer = offerOf(logged, after + 1);
  if (![...offer.fallen].some((sequence) => sequence > after)) {
    const why =
      shown > looked
        ? `Audits without traps have shown every coin of ${tenant} in ${epoch}`
        : `No coin is left to seal for ${tenant} in ${epoch} after record ${after}`;
    return nothing(`${why}; those that fall from now on become traps.`);
  }
  const { coins, learntFrom } = thinCoins(
    offer.questions.map(({ sequence, input, clean }) => ({
      sequence,
      input,
      margin: margin(clean),
      pair: topTwo(clean),
    })),
    {
      key: derivePurposeKey(logged.epochKey, 'trap-lots'),
      after,
      features: logged.profile.features,
      classes: logged.profile.labels.length,
      threshold: logged.profile.marginThreshold,
      largestArea: request.project.config.traps.coinStealth,
      progress: watched(request, 'making traps look like traffic'),
    },
  );
  const chosen = chooseCoins(coins, { after, wanted: request.wanted, last });
  const few = fewCoins(chosen, after, learntFrom, request.wanted);
  if (chosen.sequences.length === 0) return nothing(few);
  const set = await setOf(request, offer, chosen);
  return { sets: [set], why: chosen.sequences.length < request.wanted ? few : undefined };
}

/**
 * Every audit takes a lot of each set, so that what one audit has used up is not worth a set: the
 * stock first has to lack a coin per lot. It looks at the stock and never at how many coins there
 * are to seal: whatever fell is sealed then, since a least size of sets would leave out the coins of
 * a tenant that stops short of it when they fell against it.
 */
function isWorthASet({ wanted, stock, target, project }: TrapRequest): boolean {
  return activeSets(stock, target).length === 0 || wanted >= project.config.traps.coinLots;
}

async function setOf(request: TrapRequest, offer: Offer, chosen: ChosenCoins): Promise<TrapSet> {
  const { project, keyRing, target, now, signal, progress } = request;
  const { epochKey, profile, questions, fallen, from, log } = offer;
  const lots = dealCoins(
    derivePurposeKey(epochKey, 'trap-lots'),
    chosen.sequences,
    project.config.traps.coinLots,
    () => randomBytes(16).toString('hex'),
  );
  const traps = new Set(chosen.sequences);
  const [trapInputs, traffic] = [
    questions.filter(({ sequence }) => traps.has(sequence)),
    questions.filter(({ sequence }) => !fallen.has(sequence)),
  ].map((records) => records.map(({ input }) => input));
  return {
    kind: 'coin',
    tenant: target.tenant!,
    epoch: target.epoch!,
    epochCommitment: keyRing.commitment(target.tenant!, target.epoch!),
    from,
    through: chosen.through,
    log: { ...log },
    createdAt: now.toISOString(),
    source: 'log',
    expected: await expectedBans({
      profile,
      coins: classifierKeys(epochKey).labelCoins,
      records: questions,
      lotSizes: lots.map((lot) => lot.traps.length),
      signal,
      progress,
    }),
    stealth: measureStealth(trapInputs!, traffic!, {
      features: profile.features,
      progress: watched(request, 'telling traps from traffic'),
    }),
    lots,
  };
}

function offerOf(logged: LoggedEpoch, from: number): Offer {
  const { labelCoins } = classifierKeys(logged.epochKey);
  const { marginThreshold } = logged.profile;
  const questions = firstOccurrences(logged.records);
  const fallen = new Set(
    questions
      .filter(
        ({ input, clean }) => tossCoin(labelCoins, input, clean, marginThreshold) !== undefined,
      )
      .map(({ sequence }) => sequence),
  );
  return { ...logged, questions, fallen, from };
}

/** The last record that a set of this target was sought in, and the last that was shown without. */
function placesIn(
  { sets, recordsExposed }: TrapStock,
  { tenant, epoch }: TrapTarget,
): { readonly looked: number; readonly shown: number } {
  const looked = sets
    .map(({ sealed }) => sealed)
    .filter((each) => each.kind === 'coin' && each.tenant === tenant && each.epoch === epoch)
    .map(({ records }) => records?.through ?? -1);
  const shown = recordsExposed
    .filter((each) => each.tenant === tenant && each.epoch === epoch)
    .map(({ through }) => through);
  return { looked: Math.max(-1, ...looked), shown: Math.max(-1, ...shown) };
}

function fewCoins(
  { sequences, through, leftOut }: ChosenCoins,
  after: number,
  learntFrom: number,
  wanted: number,
): string {
  return `Records ${after + 1} to ${through} gave ${sequences.length} coin traps of ${wanted} wanted; ${leftOut} coins were left out, because they do not look like the tenant's other questions or are among the epoch's first ${learntFrom}, from which that is learnt. More questions bring more coins; traps.coinStealth: 1 keeps all that fall from then on.`;
}

/** Fits have no steps of their own to tell; the signal is looked at before each. */
function watched({ signal, progress }: TrapRequest, stage: string): () => void {
  let fits = 0;
  return () => {
    signal.throwIfAborted();
    fits += 1;
    progress(stage, fits, fits + 1);
  };
}

function nothing(why: string): BuiltTraps {
  return { sets: [], why };
}
