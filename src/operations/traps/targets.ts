import type { KeyRing } from '../../store/key-ring.ts';
import type { TrapTarget } from '../../traps/stock.ts';
import type { Project } from '../project.ts';
import { type LogFacts, spanKey } from './inspect.ts';

/** A target, how many traps are to be in stock for it, and why it cannot have any yet. */
export interface StockTarget extends TrapTarget {
  readonly wanted: number;
  /** Undefined where a source may be asked. */
  readonly why: string | undefined;
}

/**
 * Returns what is to be kept in stock: coin traps for each epoch of each configured tenant that the
 * log has records of, and region traps once.
 *
 * @param facts undefined when the log could not be read; coin traps then have no targets
 */
export function stockTargets(
  { config }: Pick<Project, 'config'>,
  keyRing: KeyRing,
  facts: LogFacts | undefined,
): StockTarget[] {
  const { coinStock, regionStock } = config.traps;
  const region = { kind: 'region' as const, tenant: null, epoch: null };
  const coins = config.tenants.flatMap(({ id }) => coinTargets(id, keyRing, facts, coinStock));
  const noTenant = {
    ...{ kind: 'coin' as const, tenant: null, epoch: null, wanted: coinStock },
    why: 'The configuration has no tenant. Add one with `touchmark keys generate`.',
  };
  const isEmpty = facts !== undefined && config.tenants.length === 0;
  return [...(isEmpty ? [noTenant] : coins), { ...region, wanted: regionStock, why: undefined }];
}

function coinTargets(
  tenant: string,
  keyRing: KeyRing,
  facts: LogFacts | undefined,
  wanted: number,
): StockTarget[] {
  if (facts === undefined) return [];
  const target = { kind: 'coin' as const, tenant, wanted };
  if (!keyRing.has(tenant)) {
    const why = `The key ring has no epoch of the tenant. Restore the ring that has.`;
    return [{ ...target, epoch: null, why }];
  }
  const epochs = keyRing.epochs(tenant).map(({ epoch }) => epoch);
  const served = epochs.filter((epoch) => facts.spans.has(spanKey(tenant, epoch)));
  if (served.length > 0) return served.map((epoch) => ({ ...target, epoch, why: undefined }));
  const why = facts.exists
    ? 'The serving log has no records of the tenant. Traps come from answers that it was given.'
    : 'There is no serving log yet. Answer requests with `touchmark serve` first.';
  return [{ ...target, epoch: epochs.at(-1) ?? null, why }];
}
