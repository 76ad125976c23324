import { TouchmarkError } from '../../errors.ts';
import { inputDigest } from '../../keys/canonical-input.ts';
import { scanServingLog } from '../../ledger/scan-log.ts';
import type { KeyRing } from '../../store/key-ring.ts';
import { readTrapSetText, type TrapSetFolders, trapSetPath } from '../../store/trap-sets.ts';
import { openTrapSet, sealingKeyName } from '../../traps/seal.ts';
import type { StockedSet, TrapStock } from '../../traps/stock.ts';
import { decodeInput, type SealedTrapSet } from '../../traps/trap-set.ts';
import { openStockedSet } from './stock.ts';

/** What became of the files of sets that have active lots. */
export interface InspectedSets {
  readonly intact: readonly SealedTrapSet[];
  /** By set, what is wrong with its file. */
  readonly damaged: ReadonlyMap<string, TouchmarkError>;
}

/**
 * Opens the file of every set that has an active lot.
 *
 * @throws TouchmarkError KEY_RING_INVALID when the sets are as they were sealed, and none of them
 *   under the key ring at hand: it is the wrong one, and nothing may be retired on its word
 */
export async function inspectSets(
  folders: TrapSetFolders,
  keyRing: KeyRing,
  { sets }: TrapStock,
): Promise<InspectedSets> {
  const intact: SealedTrapSet[] = [];
  const damaged = new Map<string, TouchmarkError>();
  const foreign: string[] = [];
  for (const { sealed } of sets.filter(hasActiveLot)) {
    try {
      intact.push(await openStockedSet(folders, keyRing, sealed));
    } catch (cause) {
      if (!TouchmarkError.isInstance(cause) || cause.code !== 'TRAP_SET_INVALID') throw cause;
      damaged.set(sealed.set, cause);
      if (await isUnderAnotherKey(folders, keyRing, sealed)) foreign.push(sealed.set);
    }
  }
  if (intact.length > 0 || foreign.length === 0) return { intact, damaged };
  throw new TouchmarkError(
    'KEY_RING_INVALID',
    `${trapSetPath(folders, foreign[0]!)} and every other trap set in use was sealed under a key that is not in ${keyRing.path}.`,
    {
      hint: 'Nothing was done. Restore the key ring that sealed them; if it is lost for good, move these files away, and rotation builds others.',
    },
  );
}

/** What the serving log says that matters for traps. */
export interface LogFacts {
  readonly exists: boolean;
  readonly erasures: number;
  /** By tenant and epoch, the first and last sequence of its records. */
  readonly spans: ReadonlyMap<string, { readonly first: number; readonly last: number }>;
  /** Region lots, as `set/lot`, of which a question was asked by some tenant. */
  readonly leakedLots: ReadonlySet<string>;
}

/** Returns the key of a tenant's epoch in `LogFacts.spans`. */
export function spanKey(tenant: string, epoch: string): string {
  return JSON.stringify([tenant, epoch]);
}

/** Reads the serving log once. @throws TouchmarkError LOG_INVALID naming file and line */
export async function readLogFacts(
  directory: string,
  sets: readonly SealedTrapSet[],
): Promise<LogFacts> {
  const lotsByQuestion = regionQuestions(sets);
  const spans = new Map<string, { first: number; last: number }>();
  const leakedLots = new Set<string>();
  const scan = await scanServingLog(directory, ({ tenant, epoch, sequence, input }) => {
    const key = spanKey(tenant, epoch);
    spans.set(key, { first: spans.get(key)?.first ?? sequence, last: sequence });
    if (lotsByQuestion.size === 0) return;
    for (const lot of lotsByQuestion.get(digestOf(input)) ?? []) leakedLots.add(lot);
  });
  return { ...scan, spans, leakedLots };
}

/** Coin sets whose records the log does not hold any more, although it notes erasures. */
export function erasedSets({ sets }: TrapStock, facts: LogFacts): Set<string> {
  const gone = sets.filter(({ sealed }) => isGone(sealed, facts));
  return new Set(facts.erasures > 0 ? gone.map(({ sealed }) => sealed.set) : []);
}

/** Coin sets in use whose records are gone without a note of erasure: it is another log. */
export function estrangedSets({ sets }: TrapStock, facts: LogFacts): string[] {
  if (facts.erasures > 0) return [];
  const inUse = sets.filter(hasActiveLot);
  return inUse.filter(({ sealed }) => isGone(sealed, facts)).map(({ sealed }) => sealed.set);
}

function isGone({ tenant, epoch, records }: StockedSet['sealed'], { spans }: LogFacts): boolean {
  if (tenant === null || epoch === null || records === null) return false;
  const span = spans.get(spanKey(tenant, epoch));
  return span === undefined || span.first > records.through;
}

function hasActiveLot({ lots }: StockedSet): boolean {
  return lots.some(({ state }) => state === 'active');
}

function regionQuestions(sets: readonly SealedTrapSet[]): Map<string, Set<string>> {
  const lotsByQuestion = new Map<string, Set<string>>();
  for (const { set, seal } of sets) {
    if (set.kind !== 'region') continue;
    for (const [index, { traps }] of set.lots.entries()) {
      for (const { input } of traps) {
        const digest = digestOf(decodeInput(input));
        const lots = lotsByQuestion.get(digest) ?? new Set();
        lotsByQuestion.set(digest, lots.add(`${seal.id}/${index}`));
      }
    }
  }
  return lotsByQuestion;
}

function digestOf(input: Parameters<typeof inputDigest>[0]): string {
  return inputDigest(input).toString('base64');
}

/** Decides whether a file is what the ledger names, but for the key that sealed it. */
async function isUnderAnotherKey(
  folders: TrapSetFolders,
  keyRing: KeyRing,
  { set, root }: StockedSet['sealed'],
): Promise<boolean> {
  const text = await readTrapSetText(folders, set);
  try {
    const { seal } = openTrapSet(text ?? '', trapSetPath(folders, set), undefined);
    return seal.root === root && seal.key !== sealingKeyName(keyRing.sealingKey());
  } catch {
    return false;
  }
}
