import { createHash, type KeyObject, randomBytes } from 'node:crypto';
import { lock } from 'proper-lockfile';
import { TouchmarkError } from '../errors.ts';
import { commitToEpochKey, verifyCommitment } from '../keys/commitment.ts';
import { deriveEpochKey, deriveSealingKey } from '../keys/derivation.ts';
import { requireName } from '../keys/encoding.ts';
import { deriveSigningKey } from '../keys/signing.ts';
import {
  authenticateRing,
  decodeRing,
  type EpochRecord,
  encodeRing,
  ringError,
} from './key-ring-file.ts';
import { type KeyRingOptions, ringPath, ringSource, rootOf } from './key-ring-source.ts';
import { readRoot } from './key-source.ts';
import { type RootSection, sealRoot } from './root-section.ts';
import { createSecureFile, readSecureFile, storageError, writeSecureFile } from './secure-file.ts';

export type { KeyRingOptions } from './key-ring-source.ts';

/**
 * Makes a key ring without epochs and writes it, mode 0600; a `file:` ring gets a new random root.
 *
 * @throws TouchmarkError USAGE when the file exists; KEY_SOURCE_FAILED; STORE_FULL or STORE_DAMAGED
 */
export async function createKeyRing(options: KeyRingOptions): Promise<KeyRing> {
  const source = ringSource(options);
  const path = ringPath(source, options.path);
  const root = source.kind === 'file' ? randomBytes(32) : await readRoot(source, options);
  const section: RootSection =
    source.kind === 'file' ? await sealRoot(root, options.passphrase) : { kind: 'external' };
  const text = encodeRing(root, { root: section, epochs: [] });
  await createSecureFile(path, text);
  return new KeyRing(path, root, section, [], text);
}

/**
 * Opens a key ring and checks that it is as it was written. An older copy of the same ring passes.
 *
 * @throws TouchmarkError KEY_RING_PERMISSIONS, KEY_RING_INVALID, KEY_RING_PASSPHRASE or
 *   KEY_SOURCE_FAILED; none of them contains a secret
 */
export async function openKeyRing(options: KeyRingOptions): Promise<KeyRing> {
  const source = ringSource(options);
  const path = ringPath(source, options.path);
  const text = await readSecureFile(path);
  const ring = decodeRing(path, text);
  const root = await rootOf(ring.root, source, path, options);
  authenticateRing(path, root, ring);
  return new KeyRing(path, root, ring.root, ring.epochs, text);
}

/** The epochs of all tenants, their commitments, and the root that their keys come from. */
export class KeyRing {
  readonly path: string;
  readonly #root: Buffer;
  readonly #section: RootSection;
  /** Tenants in the order of their first epochs, each with its epochs, oldest first. */
  readonly #tenants = new Map<string, EpochRecord[]>();
  /** SHA-256 of the file's text as it was last read or written here. */
  #written: string;
  /** Commitments that were found to be to the key derived; each takes some 60 ms. */
  readonly #verified = new Set<string>();

  /** Use `createKeyRing` or `openKeyRing`. */
  constructor(
    path: string,
    root: Buffer,
    section: RootSection,
    epochs: readonly EpochRecord[],
    text: string,
  ) {
    this.path = path;
    this.#root = root;
    this.#section = section;
    for (const each of epochs) this.#add(each);
    this.#written = digestOf(text);
  }

  /** Returns every tenant that has an epoch, in the order of their first ones. */
  tenants(): string[] {
    return [...this.#tenants.keys()];
  }

  /** Decides whether a tenant has an epoch. */
  has(tenant: string): boolean {
    return this.#tenants.has(tenant);
  }

  /** Returns a tenant's epochs, oldest first. @throws TouchmarkError TENANT_UNKNOWN */
  epochs(tenant: string): EpochRecord[] {
    return [...this.#of(tenant)];
  }

  /** Returns the epoch that a tenant's answers are marked under. @throws TouchmarkError TENANT_UNKNOWN */
  currentEpoch(tenant: string): EpochRecord {
    return this.#of(tenant).at(-1)!;
  }

  /**
   * Begins a tenant's next epoch, e1, e2 and so on, with the commitment to its key, and closes the
   * one before. Save the ring before the epoch's first answer.
   *
   * @param createdAt ISO 8601 in UTC, not before the epoch before
   * @throws TouchmarkError INPUT_INVALID for a name, time or beacon outside its range
   */
  addEpoch(tenant: string, createdAt: string, beacon?: Uint8Array): EpochRecord {
    requireName(tenant, 'tenant');
    const earlier = this.#tenants.get(tenant);
    const before = earlier?.at(-1);
    requireTime(createdAt, before);
    const epoch = `e${(earlier?.length ?? 0) + 1}`;
    const key = deriveEpochKey({ root: this.#root, tenant, epoch, ...(beacon && { beacon }) });
    const record: EpochRecord = {
      tenant,
      epoch,
      createdAt,
      commitment: commitToEpochKey(key, tenant, epoch),
      ...(beacon && { beacon: Buffer.from(beacon).toString('base64') }),
    };
    if (earlier && before) earlier[earlier.length - 1] = { ...before, closedAt: createdAt };
    this.#add(record);
    this.#verified.add(record.commitment);
    return record;
  }

  /**
   * Returns the 32-byte key of an epoch, checked against its commitment the first time.
   *
   * @throws TouchmarkError TENANT_UNKNOWN or EPOCH_UNKNOWN naming the known ones; KEY_RING_INVALID
   *   when the key is not the one committed to
   */
  epochKey(tenant: string, epoch: string): Buffer {
    const { commitment } = this.#epoch(tenant, epoch);
    const key = this.derivedKey(tenant, epoch);
    if (this.#verified.has(commitment)) return key;
    if (verifyCommitment(commitment, key, tenant, epoch)) {
      this.#verified.add(commitment);
      return key;
    }
    throw ringError(`${this.path} has a commitment to another key for ${tenant} ${epoch}.`);
  }

  /**
   * Returns the 32-byte key of an epoch, for gateways, which cannot wait some 60 ms for each tenant's
   * check: the ring is authenticated, and it was written with the commitment to this key.
   *
   * @throws TouchmarkError TENANT_UNKNOWN or EPOCH_UNKNOWN naming the known ones
   */
  derivedKey(tenant: string, epoch: string): Buffer {
    const { beacon } = this.#epoch(tenant, epoch);
    const salt = beacon === undefined ? {} : { beacon: Buffer.from(beacon, 'base64') };
    return deriveEpochKey({ root: this.#root, tenant, epoch, ...salt });
  }

  /** Returns the 32-byte key that seals trap sets of all tenants. */
  sealingKey(): Buffer {
    return deriveSealingKey(this.#root);
  }

  /** Returns the Ed25519 private key that signs checkpoints and dossiers. */
  signingKey(): KeyObject {
    return deriveSigningKey(this.#root);
  }

  /** Returns an epoch's public commitment. @throws TouchmarkError TENANT_UNKNOWN, EPOCH_UNKNOWN */
  commitment(tenant: string, epoch: string): string {
    return this.#epoch(tenant, epoch).commitment;
  }

  /**
   * Writes the ring to its file; when this resolves it survives a power cut.
   *
   * @throws TouchmarkError STORE_LOCKED when another process changed or is changing the file;
   *   STORE_FULL or STORE_DAMAGED, and the file is then as before
   */
  async save(): Promise<void> {
    const release = await this.#lock();
    try {
      if (digestOf(await readSecureFile(this.path)) !== this.#written) {
        throw lockedError(`${this.path} was changed by another process since it was opened.`);
      }
      const epochs = [...this.#tenants.values()].flat();
      const text = encodeRing(this.#root, { root: this.#section, epochs });
      await writeSecureFile(this.path, text);
      this.#written = digestOf(text);
    } finally {
      await release();
    }
  }

  async #lock(): Promise<() => Promise<void>> {
    try {
      return await lock(this.path, {
        realpath: false,
        retries: { retries: 10, minTimeout: 20, maxTimeout: 100 },
      });
    } catch (cause) {
      const held = cause instanceof Error && 'code' in cause && cause.code === 'ELOCKED';
      if (!held) throw storageError('lock', this.path, cause);
      throw lockedError(`${this.path} is being changed by another process.`);
    }
  }

  #add(record: EpochRecord): void {
    const own = this.#tenants.get(record.tenant);
    if (own) own.push(record);
    else this.#tenants.set(record.tenant, [record]);
  }

  #of(tenant: string): readonly EpochRecord[] {
    const own = this.#tenants.get(tenant);
    if (own) return own;
    throw new TouchmarkError('TENANT_UNKNOWN', `${this.path} knows no tenant "${tenant}".`, {
      hint: `It knows: ${someOf(this.tenants()) || 'none yet'}.`,
    });
  }

  #epoch(tenant: string, epoch: string): EpochRecord {
    const known = this.#of(tenant);
    const found = known.find((each) => each.epoch === epoch);
    if (found) return found;
    throw new TouchmarkError('EPOCH_UNKNOWN', `The tenant "${tenant}" has no epoch "${epoch}".`, {
      hint: `It has: ${known.map((each) => each.epoch).join(', ')}.`,
    });
  }
}

/** Names at most ten. */
function someOf(names: readonly string[]): string {
  const more = names.length - 10;
  return names.slice(0, 10).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function requireTime(createdAt: string, before: EpochRecord | undefined): void {
  const time = Date.parse(createdAt);
  const isExact = !Number.isNaN(time) && new Date(time).toISOString() === createdAt;
  if (isExact && time >= Date.parse(before?.createdAt ?? createdAt)) return;
  const reason = isExact
    ? `before ${before?.epoch} began, ${before?.createdAt}`
    : 'not ISO 8601, UTC';
  throw new TouchmarkError('INPUT_INVALID', `The epoch's time "${createdAt}" is ${reason}.`, {
    hint: 'Check the clock; write times as 2026-01-02T03:04:05.678Z.',
  });
}

function lockedError(message: string): TouchmarkError {
  return new TouchmarkError('STORE_LOCKED', message, { hint: 'Open the ring again and retry.' });
}
