import type { Retirement, TrapEvent, TrapEventOf } from './events.ts';

/** The state of one lot. Only an active one may be shown; no state leads back to it. */
export type LotState =
  | { readonly state: 'active' }
  | { readonly state: 'exposed'; readonly suspect: string; readonly audit: string }
  | { readonly state: 'retired'; readonly why: Retirement };

/** A sealed set and what became of its lots. */
export interface StockedSet {
  readonly sealed: TrapEventOf<'sealed'>;
  readonly lots: readonly LotState[];
}

/** A lot that a claim file names, whether or not the ledger has heard of it. */
export interface ClaimedLot {
  readonly set: string;
  readonly lot: number;
  readonly suspect: string;
  readonly operator: string | null;
  readonly audit: string;
}

/** What the ledger and the claim files say together; claims count whatever the ledger says. */
export interface TrapStock {
  readonly sets: readonly StockedSet[];
  /** The last complete rotation since the clock was last vouched for. */
  readonly lastRotation: TrapEventOf<'rotated'> | undefined;
  /** The time of the last event since the clock was last vouched for. */
  readonly lastEventAt: string | undefined;
  /** For each tenant and epoch, the sequence up to which records were shown without traps. */
  readonly recordsExposed: readonly TrapEventOf<'records-exposed'>[];
  /** Claims on lots that the ledger does not know: it is older than the claims. */
  readonly orphanClaims: readonly ClaimedLot[];
  /** Claims that the ledger has not noted yet, as a crash after claiming leaves them. */
  readonly unnotedClaims: readonly ClaimedLot[];
}

/** Folds the trap ledger and the claims into the stock. */
export function foldStock(events: readonly TrapEvent[], claims: readonly ClaimedLot[]): TrapStock {
  const sets = new Map<string, { sealed: TrapEventOf<'sealed'>; lots: LotState[] }>();
  const recordsExposed: TrapEventOf<'records-exposed'>[] = [];
  const noted = new Set<string>();
  let lastRotation: TrapEventOf<'rotated'> | undefined;
  let lastEventAt: string | undefined;
  const expose = ({ set, lot, suspect, audit }: ClaimedLot): void => {
    const stocked = sets.get(set);
    if (stocked?.lots[lot]?.state === 'active') {
      stocked.lots[lot] = { state: 'exposed', suspect, audit };
    }
  };
  for (const event of events) {
    lastEventAt = event.at;
    if (event.event === 'sealed') {
      sets.set(event.set, { sealed: event, lots: event.lots.map(() => ({ state: 'active' })) });
    } else if (event.event === 'exposed') {
      noted.add(`${event.set}/${event.lot}`);
      expose(event);
    } else if (event.event === 'retired') {
      const lots = sets.get(event.set)?.lots ?? [];
      lots.forEach((lot, index) => {
        const named = event.lot === index || (event.lot === null && lot.state === 'active');
        if (named && lot.state !== 'retired') lots[index] = { state: 'retired', why: event.why };
      });
    } else if (event.event === 'records-exposed') recordsExposed.push(event);
    else if (event.event === 'rotated') lastRotation = event;
    else lastRotation = undefined;
  }
  claims.forEach(expose);
  return {
    sets: [...sets.values()],
    lastRotation,
    lastEventAt,
    recordsExposed,
    orphanClaims: claims.filter(({ set, lot }) => sets.get(set)?.lots[lot] === undefined),
    unnotedClaims: claims.filter(({ set, lot }) => sets.has(set) && !noted.has(`${set}/${lot}`)),
  };
}

/** Whom traps are for: coin traps for one tenant's epoch, region traps for the model as a whole. */
export interface TrapTarget {
  readonly kind: 'coin' | 'region';
  readonly tenant: string | null;
  readonly epoch: string | null;
}

/** The sets of one target that have an active lot, oldest first. */
export function activeSets(stock: TrapStock, target: TrapTarget): StockedSet[] {
  return stock.sets.filter(
    ({ sealed, lots }) =>
      sealed.kind === target.kind &&
      sealed.tenant === target.tenant &&
      sealed.epoch === target.epoch &&
      lots.some(({ state }) => state === 'active'),
  );
}

/** The traps of one target that were never shown to anybody. */
export function activeTraps(stock: TrapStock, target: TrapTarget): number {
  return activeSets(stock, target).reduce(
    (sum, { sealed, lots }) =>
      sum +
      lots.reduce(
        (own, { state }, lot) => (state === 'active' ? own + (sealed.lots[lot] ?? 0) : own),
        0,
      ),
    0,
  );
}

/**
 * Chooses the lots that one audit will expose, oldest first. Of coin traps: the first `lotsPerAudit`
 * active lots of every set, since a lot is a share of all records, whichever set they are sealed in;
 * of region traps: that many lots in all. The order looks at nothing that a tenant, a suspect or a
 * coin had a say in.
 */
export function lotsForAudit(
  stock: TrapStock,
  target: TrapTarget,
  lotsPerAudit: number,
): { readonly set: string; readonly lot: number }[] {
  const sets = activeSets(stock, target).map(({ sealed, lots }) =>
    lots.flatMap(({ state }, lot) => (state === 'active' ? [{ set: sealed.set, lot }] : [])),
  );
  if (target.kind === 'region') return sets.flat().slice(0, lotsPerAudit);
  return sets.flatMap((lots) => lots.slice(0, lotsPerAudit));
}

/** How many more audits of `lotsPerAudit` lots can be given traps of the target; empty lots are none. */
export function auditsRemaining(
  stock: TrapStock,
  target: TrapTarget,
  lotsPerAudit: number,
): number {
  if (lotsPerAudit === 0) return 0;
  const active = activeSets(stock, target).map(
    ({ lots, sealed }) =>
      lots.filter(({ state }, lot) => state === 'active' && sealed.lots[lot] !== 0).length,
  );
  const lots =
    target.kind === 'region'
      ? active.reduce((sum, count) => sum + count, 0)
      : Math.max(0, ...active);
  return Math.floor(lots / lotsPerAudit);
}
