import { createHmac } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { lengthPrefixed } from '../keys/encoding.ts';
import {
  errnoOf,
  exists,
  guarded,
  namesIn,
  readIfPresent,
  storageError,
  syncDirectory,
} from './files.ts';
import { type Layout, tenantHash } from './layout.ts';

/** Source of random bytes; `randomBytes` of node:crypto outside tests. */
export type RandomSource = (bytes: number) => Uint8Array;

/** What opens one tenant's payloads, and finds them in the chain. */
export interface PayloadKey {
  readonly tenant: string;
  /** 32 bytes for AES-256-GCM. */
  readonly key: Buffer;
  /** The tenant's name in the chain: 32 hexadecimal digits that only the key's holder can compute. */
  readonly tag: string;
  /** 32 bytes that the salts of withheld payloads are drawn from. */
  readonly saltKey: Buffer;
}

const keySchema = z.strictObject({
  schema: z.literal('touchmark/payload-key@1'),
  tenant: z.string(),
  secret: z.base64().length(44),
});

/** Returns the tenant's payload key, or undefined when the log has none: never served, or erased. */
export async function loadPayloadKey(
  layout: Layout,
  tenant: string,
): Promise<PayloadKey | undefined> {
  return readKeyFile(keyPath(layout, tenant));
}

/** Returns every payload key of the log, by tenant. */
export async function listPayloadKeys(layout: Layout): Promise<PayloadKey[]> {
  const names = (await namesIn(layout.keys)).filter((name) => /^[0-9a-f]{32}\.key$/.test(name));
  const keys: PayloadKey[] = [];
  for (const [index, name] of names.entries()) {
    if (index % readsInOneGo === 0) await setImmediate();
    const key = readKeyFileAtOnce(join(layout.keys, name));
    if (key !== undefined) keys.push(key);
  }
  return keys.sort((a, b) => (a.tenant < b.tenant ? -1 : 1));
}

/** Few enough to hold up other work for some milliseconds at most. */
const readsInOneGo = 64;
/** Of the four threads that wait for disks, the log itself shall not have to wait for one. */
const writesAtOnce = 2;

/** Makes payload keys of tenants that have none; they are safely on the disk before first used. */
export async function createPayloadKeys(
  layout: Layout,
  tenants: readonly string[],
  random: RandomSource,
): Promise<PayloadKey[]> {
  if (tenants.length === 0) return [];
  const create = async (tenant: string): Promise<PayloadKey> => {
    const secret = Buffer.from(random(32)).toString('base64');
    const path = keyPath(layout, tenant);
    const text = JSON.stringify({ schema: 'touchmark/payload-key@1', tenant, secret });
    await guarded('write', path, () => writeFileAtomic(path, `${text}\n`, { mode: 0o600 }));
    return payloadKeyOf(tenant, secret);
  };
  const keys: PayloadKey[] = [];
  for (let index = 0; index < tenants.length; index += writesAtOnce) {
    const next = tenants.slice(index, index + writesAtOnce);
    // All of them settle before an error is thrown, so that a second try cannot meet the first.
    for (const made of await Promise.allSettled(next.map(create))) {
      if (made.status === 'rejected') throw made.reason;
      keys.push(made.value);
    }
  }
  await syncDirectory(layout.keys);
  return keys;
}

/**
 * Destroys what opens a tenant's payloads: overwrites and unlinks the key file, with leftovers of
 * interrupted writes. Payloads in files that all tenants share stay there as ciphertext that nothing
 * opens, until retention removes the files; those in files of the tenant's own, as logs before
 * version 3 wrote them, are removed. Flash disks and copy-on-write file systems may keep overwritten
 * blocks, and backups keep copies: neither is in this program's reach.
 */
export async function destroyTenant(
  layout: Layout,
  tenant: string,
  random: RandomSource,
): Promise<void> {
  const hash = tenantHash(tenant);
  const names = (await namesIn(layout.keys)).filter((name) => name.startsWith(hash));
  for (const name of names) {
    const path = join(layout.keys, name);
    await guarded('erase', path, async () => {
      const handle = await open(path, 'r+');
      try {
        await handle.write(random((await handle.stat()).size), 0, null, 0);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rm(path);
    });
  }
  await syncDirectory(layout.keys);
  const payloads = join(layout.payloads, hash);
  if (!(await exists(payloads))) return;
  await guarded('remove', payloads, () => rm(payloads, { recursive: true, force: true }));
  await syncDirectory(layout.payloads);
}

function keyPath(layout: Layout, tenant: string): string {
  return join(layout.keys, `${tenantHash(tenant)}.key`);
}

async function readKeyFile(path: string): Promise<PayloadKey | undefined> {
  const bytes = await readIfPresent(path);
  if (bytes === undefined) return undefined;
  const { mode } = await guarded('read', path, () => stat(path));
  return parseKeyFile(path, bytes, mode);
}

/** As `readKeyFile`, for very many files: a tenth of the work, but nothing else is done meanwhile. */
function readKeyFileAtOnce(path: string): PayloadKey | undefined {
  try {
    return parseKeyFile(path, readFileSync(path), statSync(path).mode);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw storageError('read', path, cause);
  }
}

function parseKeyFile(path: string, bytes: Buffer, mode: number): PayloadKey {
  if ((mode & 0o077) !== 0) {
    throw new TouchmarkError(
      'KEY_RING_PERMISSIONS',
      `The payload key ${path} has mode ${(mode & 0o777).toString(8).padStart(4, '0')}.`,
      { hint: `Others may have read it. Run: chmod 600 ${path}` },
    );
  }
  const parsed = keySchema.safeParse(parseJson(bytes.toString('utf8')));
  if (parsed.success) return payloadKeyOf(parsed.data.tenant, parsed.data.secret);
  throw new TouchmarkError('STORE_DAMAGED', `${path} is no touchmark/payload-key@1.`, {
    hint: 'Restore the file from a copy; without it the payloads of this tenant cannot be read.',
  });
}

function payloadKeyOf(tenant: string, secret: string): PayloadKey {
  const part = (label: string) =>
    createHmac('sha256', Buffer.from(secret, 'base64'))
      .update(lengthPrefixed(label, tenant))
      .digest();
  return {
    tenant,
    key: part('touchmark/v1/payload-key'),
    tag: part('touchmark/v1/tenant-tag').toString('hex', 0, 16),
    saltKey: part('touchmark/v1/withheld-salt'),
  };
}
