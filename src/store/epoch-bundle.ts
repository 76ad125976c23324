import { createHash } from 'node:crypto';
import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import { keyBytes } from '../keys/encoding.ts';
import { pathExists } from './project-files.ts';
import { readSecureFile } from './secure-file.ts';

/** Of the file with one epoch, as one JSON document. */
export const epochBundleSchemaName = 'touchmark/epoch-bundle@1';
/** Of the file with one epoch a line. */
export const epochBundlesSchemaName = 'touchmark/epoch-bundles@1';

/** One epoch's key and what was committed to, as a gateway gets it. */
export interface BundledEpoch {
  readonly tenant: string;
  readonly epoch: string;
  readonly commitment: string;
  readonly key: Uint8Array;
}

const epochFields = {
  tenant: z.string().min(1),
  epoch: z.string().min(1),
  commitment: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  /** 32 bytes in base64. */
  key: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
};
const epochSchema = z.strictObject(epochFields);
const singleSchema = z.strictObject({ schema: z.literal(epochBundleSchemaName), ...epochFields });
const headSchema = z.strictObject({
  schema: z.literal(epochBundlesSchemaName),
  exportedAt: z.iso.datetime(),
  epochs: z.int().min(0),
});
const endSchema = z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/**
 * Returns the lines of a bundle: a head, the epochs, and SHA-256 of all the lines before, which finds
 * a file that was cut short or damaged; only the file's mode keeps others from changing it.
 *
 * @param count of the epochs
 * @param exportedAt ISO 8601 in UTC
 */
export function* bundleLines(
  epochs: Iterable<BundledEpoch>,
  count: number,
  exportedAt: string,
): Generator<string> {
  const hash = createHash('sha256');
  const written = (value: object): string => {
    const line = `${JSON.stringify(value)}\n`;
    hash.update(line);
    return line;
  };
  yield written({ schema: epochBundlesSchemaName, exportedAt, epochs: count });
  for (const { tenant, epoch, commitment, key } of epochs) {
    yield written({ tenant, epoch, commitment, key: Buffer.from(key).toString('base64') });
  }
  yield `${JSON.stringify({ sha256: hash.digest('hex') })}\n`;
}

/**
 * The current epochs of a gateway's tenants and their keys, and nothing else: no root, from which
 * other epochs would follow, and no signing key. It never changes.
 */
export class EpochBundle {
  readonly path: string;
  readonly #epochs = new Map<
    string,
    { readonly epoch: string; readonly commitment: string; readonly key: number }
  >();
  readonly #keys: Buffer;

  /** @throws TouchmarkError KEY_RING_INVALID when a tenant has two epochs */
  constructor(path: string, epochs: readonly BundledEpoch[]) {
    this.path = path;
    this.#keys = Buffer.alloc(epochs.length * keyBytes);
    epochs.forEach(({ tenant, epoch, commitment, key }, index) => {
      if (this.#epochs.has(tenant)) {
        throw bundleError(`${path} has two epochs of the tenant "${tenant}".`);
      }
      this.#keys.set(key, index * keyBytes);
      this.#epochs.set(tenant, { epoch, commitment, key: index * keyBytes });
    });
  }

  /** Returns every tenant, in the order of the file. */
  tenants(): string[] {
    return [...this.#epochs.keys()];
  }

  /** Decides whether a tenant has an epoch. */
  has(tenant: string): boolean {
    return this.#epochs.has(tenant);
  }

  /** Returns the epoch that a tenant's answers are marked under. @throws TouchmarkError TENANT_UNKNOWN */
  currentEpoch(tenant: string): { readonly epoch: string; readonly commitment: string } {
    return this.#of(tenant);
  }

  /** Returns the 32-byte key of an epoch. @throws TouchmarkError TENANT_UNKNOWN, EPOCH_UNKNOWN */
  epochKey(tenant: string, epoch: string): Buffer {
    const { epoch: current, key } = this.#of(tenant);
    if (epoch === current) return Buffer.from(this.#keys.subarray(key, key + keyBytes));
    throw new TouchmarkError(
      'EPOCH_UNKNOWN',
      `${this.path} has ${current} of the tenant "${tenant}", and not "${epoch}".`,
      { hint: 'A bundle has the epochs in use alone; export it again after rotating.' },
    );
  }

  #of(tenant: string) {
    const own = this.#epochs.get(tenant);
    if (own) return own;
    throw new TouchmarkError('TENANT_UNKNOWN', `${this.path} has no tenant "${tenant}".`, {
      hint: 'Export the bundle again, where the key ring is: touchmark keys export --all.',
    });
  }
}

/**
 * Opens a bundle of either form. That each key is the one committed to is not checked: it takes some
 * 60 ms a tenant, and whoever can write the file can write another pair.
 *
 * @throws TouchmarkError KEY_RING_PERMISSIONS when others may read it; KEY_RING_INVALID naming the
 *   line when it is damaged, and never with any of its text
 */
export async function openEpochBundle(path: string): Promise<EpochBundle> {
  if (!(await pathExists(path))) throw bundleError(`There is no epoch bundle ${path}.`);
  const text = await readSecureFile(path);
  const single = singleSchema.safeParse(jsonOf(text));
  if (single.success) return new EpochBundle(path, [decoded(single.data)]);
  const hash = createHash('sha256');
  const epochs: BundledEpoch[] = [];
  let announced: number | undefined;
  let number = 0;
  for (const { line, isLast } of linesOf(text)) {
    number += 1;
    const fail = (what: string) => bundleError(`${path}:${number}: ${what}`);
    const value = jsonOf(line);
    if (announced === undefined) {
      announced = readHead(value, fail);
    } else if (epochs.length < announced) {
      const parsed = epochSchema.safeParse(value);
      if (!parsed.success) throw fail('this is no epoch as it was written.');
      epochs.push(decoded(parsed.data));
    } else {
      const isEnd = endSchema.safeParse(value).data?.sha256 === hash.digest('hex');
      if (isEnd && isLast) return new EpochBundle(path, epochs);
      throw fail('the file was changed.');
    }
    hash.update(line);
  }
  throw bundleError(`${path} was cut short.`);
}

/** Lines with their ends. */
function* linesOf(text: string): Generator<{ readonly line: string; readonly isLast: boolean }> {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    const next = end < 0 ? text.length : end + 1;
    yield { line: text.slice(start, next), isLast: next === text.length };
    start = next;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readHead(value: unknown, fail: (what: string) => TouchmarkError): number {
  const head = headSchema.safeParse(value);
  if (head.success) return head.data.epochs;
  const named = z.object({ schema: z.string().regex(/^touchmark\/[\w-]+@\d+$/) }).safeParse(value);
  throw fail(
    named.success && named.data.schema !== epochBundlesSchemaName
      ? `it says ${named.data.schema}; this version reads ${epochBundlesSchemaName}.`
      : `this is no head of ${epochBundlesSchemaName}.`,
  );
}

function decoded({ key, ...rest }: z.infer<typeof epochSchema>): BundledEpoch {
  const { tenant, epoch, commitment } = rest;
  return { tenant, epoch, commitment, key: Buffer.from(key, 'base64') };
}

function bundleError(message: string): TouchmarkError {
  return new TouchmarkError('KEY_RING_INVALID', message, {
    hint: 'Export it again, where the key ring is: touchmark keys export --all --out FILE.',
  });
}
