import type { Layout } from './layout.ts';
import {
  createPayloadKeys,
  loadPayloadKey,
  type PayloadKey,
  type RandomSource,
} from './payload-keys.ts';

/** Some 10 MB of keys at most; beyond them a tenant's next record waits for a small file. */
const keysKept = 10_000;

/** The payload keys of the tenants that were served last. */
export class KeyCache {
  readonly #layout: Layout;
  readonly #random: RandomSource;
  /** The least recently used first. */
  readonly #keys = new Map<string, PayloadKey>();

  constructor(layout: Layout, random: RandomSource) {
    this.#layout = layout;
    this.#random = random;
  }

  /**
   * Returns the key of each tenant, and makes those that do not exist yet; they are safely on the
   * disk when this resolves.
   */
  async keysOf(tenants: ReadonlySet<string>): Promise<ReadonlyMap<string, PayloadKey>> {
    const found = new Map<string, PayloadKey>();
    const absent: string[] = [];
    for (const tenant of tenants) {
      const key = this.#keys.get(tenant) ?? (await loadPayloadKey(this.#layout, tenant));
      if (key === undefined) absent.push(tenant);
      else found.set(tenant, key);
    }
    for (const key of await createPayloadKeys(this.#layout, absent, this.#random)) {
      found.set(key.tenant, key);
    }
    for (const [tenant, key] of found) this.#keep(tenant, key);
    return found;
  }

  #keep(tenant: string, key: PayloadKey): void {
    this.#keys.delete(tenant);
    this.#keys.set(tenant, key);
    if (this.#keys.size <= keysKept) return;
    const [oldest] = this.#keys.keys();
    if (oldest !== undefined) this.#keys.delete(oldest);
  }
}
