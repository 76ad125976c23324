import { TouchmarkError } from '../errors.ts';
import type { Layout } from './layout.ts';
import {
  createPayloadKeys,
  loadPayloadKey,
  type PayloadKey,
  type RandomSource,
} from './payload-keys.ts';

/** What became of each tenant of a group. */
type Group = ReadonlyMap<string, PayloadKey | TouchmarkError>;

/** A group that more tenants may join. */
interface Gathering {
  readonly tenants: Set<string>;
  readonly keys: Promise<Group>;
}

/** Some 10 MB of keys; beyond them a tenant's next record waits for a small file. */
const defaultKept = 10_000;

/**
 * The payload keys of the tenants that were served last. Others are read or made in groups, one after
 * the other: whoever waits for a key keeps neither those waiting who have theirs, nor the disk busy.
 */
export class KeyCache {
  readonly #layout: Layout;
  readonly #random: RandomSource;
  readonly #kept: number;
  /** The least recently used first. */
  readonly #keys = new Map<string, PayloadKey>();
  #group: Promise<Group> = Promise.resolve(new Map());
  #next: Gathering | undefined;

  /** @param kept how many keys are kept at hand */
  constructor(layout: Layout, random: RandomSource, kept = defaultKept) {
    this.#layout = layout;
    this.#random = random;
    this.#kept = kept;
  }

  /** Returns a tenant's key when it is at hand. */
  find(tenant: string): PayloadKey | undefined {
    const key = this.#keys.get(tenant);
    if (key !== undefined) this.#keep(key);
    return key;
  }

  /**
   * Returns the keys of tenants, and makes those that do not exist yet; they are safely on the disk
   * when this resolves.
   *
   * @throws TouchmarkError STORE_DAMAGED or KEY_RING_PERMISSIONS about one of them; STORE_FULL when
   *   there is no room for keys to be made
   */
  async load(tenants: readonly string[]): Promise<ReadonlyMap<string, PayloadKey>> {
    const keys = new Map<string, PayloadKey>();
    const group = this.#openGroup();
    for (const tenant of tenants) {
      const key = this.find(tenant);
      if (key === undefined) group.tenants.add(tenant);
      else keys.set(tenant, key);
    }
    const found = await group.keys;
    for (const tenant of tenants) {
      const key = found.get(tenant);
      if (TouchmarkError.isInstance(key)) throw key;
      if (key !== undefined) keys.set(tenant, key);
    }
    return keys;
  }

  /** The group that gathers tenants until the one before it is done. */
  #openGroup(): Gathering {
    if (this.#next !== undefined) return this.#next;
    const tenants = new Set<string>();
    const begin = () => {
      this.#next = undefined;
      return this.#loadGroup(tenants);
    };
    const keys = this.#group.then(begin, begin);
    this.#group = keys;
    this.#next = { tenants, keys };
    return this.#next;
  }

  async #loadGroup(tenants: ReadonlySet<string>): Promise<Group> {
    const found = new Map<string, PayloadKey | TouchmarkError>();
    const absent: string[] = [];
    for (const tenant of tenants) {
      const key = this.find(tenant) ?? (await this.#read(tenant));
      if (key === undefined) absent.push(tenant);
      else found.set(tenant, key);
    }
    for (const key of await createPayloadKeys(this.#layout, absent, this.#random)) {
      found.set(key.tenant, key);
    }
    for (const key of found.values()) if (!TouchmarkError.isInstance(key)) this.#keep(key);
    return found;
  }

  /** Returns the error about one tenant's key as a value, for it is none of the others'. */
  async #read(tenant: string): Promise<PayloadKey | TouchmarkError | undefined> {
    try {
      return await loadPayloadKey(this.#layout, tenant);
    } catch (cause) {
      if (TouchmarkError.isInstance(cause)) return cause;
      throw cause;
    }
  }

  #keep(key: PayloadKey): void {
    this.#keys.delete(key.tenant);
    this.#keys.set(key.tenant, key);
    if (this.#keys.size <= this.#kept) return;
    const [oldest] = this.#keys.keys();
    if (oldest !== undefined) this.#keys.delete(oldest);
  }
}
