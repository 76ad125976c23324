/** How often something happened that a null hypothesis makes rare; plain data, to be sent about. */
export interface Count {
  readonly nominal: number;
  hits: number;
  trials: number;
}

/** Counts by name. */
export type Counts = Record<string, Count>;

/** Counts one trial. */
export function count(counts: Counts, name: string, nominal: number, hit: boolean): void {
  counts[name] ??= { nominal, hits: 0, trials: 0 };
  counts[name].trials++;
  if (hit) counts[name].hits++;
}

/** Adds counts to others. */
export function addCounts(to: Counts, more: Counts): void {
  for (const [name, { nominal, hits, trials }] of Object.entries(more)) {
    to[name] ??= { nominal, hits: 0, trials: 0 };
    to[name].hits += hits;
    to[name].trials += trials;
  }
}
