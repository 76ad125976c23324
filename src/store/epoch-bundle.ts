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

const hashName = 'sha256:';
const epochBytes = 2 * keyBytes;

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
  epochs: z.int().min(0).max(10_000_000),
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
  readonly #indices = new Map<string, number>();
  readonly #epochs: string[] = [];
  /** 64 bytes for each epoch: its key and what was committed to. */
  readonly #bytes: Buffer;

  /** @throws TouchmarkError KEY_RING_INVALID when a tenant has two epochs */
  constructor(path: string, epochs: Iterable<BundledEpoch>, count: number) {
    this.path = path;
    this.#bytes = Buffer.alloc(count * epochBytes);
    for (const { tenant, epoch, commitment, key } of epochs) {
      const index = this.#epochs.length;
      if (this.#indices.has(tenant)) {
        throw bundleError(`${path} has two epochs of the tenant "${tenant}".`);
      }
      this.#bytes.set(key, index * epochBytes);
      this.#bytes.write(commitment.slice(hashName.length), index * epochBytes + keyBytes, 'hex');
      this.#indices.set(tenant, index);
      this.#epochs.push(epoch);
    }
  }

  /** Returns every tenant, in the order of the file. */
  tenants(): string[] {
    return [...this.#indices.keys()];
  }

  /** Decides whether a tenant has an epoch. */
  has(tenant: string): boolean {
    return this.#indices.has(tenant);
  }

  /** Returns the epoch that a tenant's answers are marked under. @throws TouchmarkError TENANT_UNKNOWN */
  currentEpoch(tenant: string): { readonly epoch: string; readonly commitment: string } {
    const index = this.#indexOf(tenant);
    const start = index * epochBytes + keyBytes;
    const digest = this.#bytes.toString('hex', start, start + keyBytes);
    return { epoch: this.#epochs[index]!, commitment: hashName + digest };
  }

  /** Returns the 32-byte key of an epoch. @throws TouchmarkError TENANT_UNKNOWN, EPOCH_UNKNOWN */
  epochKey(tenant: string, epoch: string): Buffer {
    const index = this.#indexOf(tenant);
    const start = index * epochBytes;
    const current = this.#epochs[index];
    if (epoch === current) return Buffer.from(this.#bytes.subarray(start, start + keyBytes));
    throw new TouchmarkError(
      'EPOCH_UNKNOWN',
      `${this.path} has ${current} of the tenant "${tenant}", and not "${epoch}".`,
      { hint: 'A bundle has the epochs in use alone; export it again after rotating.' },
    );
  }

  #indexOf(tenant: string): number {
    const index = this.#indices.get(tenant);
    if (index !== undefined) return index;
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
  if (single.success) return new EpochBundle(path, [decoded(single.data)], 1);
  const lines = linesOf(text);
  const first = lines.next().value ?? { line: '', isLast: true };
  return new EpochBundle(path, readEpochs(path, first.line, lines), readHead(path, first.line));
}

/** Yields the epochs; that the file is whole is known when they are all read. */
function* readEpochs(path: string, first: string, lines: Iterable<Line>): Generator<BundledEpoch> {
  const hash = createHash('sha256').update(first);
  const announced = readHead(path, first);
  let number = 1;
  for (const { line, isLast } of lines) {
    number += 1;
    const isEpoch = number <= announced + 1;
    const epoch = isEpoch ? epochSchema.safeParse(jsonOf(line)).data : undefined;
    if (isEpoch && epoch === undefined) {
      throw bundleError(`${path}:${number}: this is no epoch as it was written.`);
    }
    if (epoch === undefined) {
      const end = endSchema.safeParse(jsonOf(line)).data;
      if (isLast && end?.sha256 === hash.digest('hex')) return;
      throw bundleError(`${path}:${number}: the file was changed.`);
    }
    yield decoded(epoch);
    hash.update(line);
  }
  throw bundleError(`${path} was cut short.`);
}

interface Line {
  readonly line: string;
  readonly isLast: boolean;
}

/** Lines with their ends. */
function* linesOf(text: string): Generator<Line, undefined> {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    const next = end < 0 ? text.length : end + 1;
    yield { line: text.slice(start, next), isLast: next === text.length };
    start = next;
  }
  return undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Returns how many epochs a head announces. */
function readHead(path: string, line: string): number {
  const value = jsonOf(line);
  const head = headSchema.safeParse(value);
  if (head.success) return head.data.epochs;
  const named = z.object({ schema: z.string().regex(/^touchmark\/[\w-]+@\d+$/) }).safeParse(value);
  throw bundleError(
    named.success && named.data.schema !== epochBundlesSchemaName
      ? `${path}:1: it says ${named.data.schema}; this version reads ${epochBundlesSchemaName}.`
      : `${path}:1: this is no head of ${epochBundlesSchemaName}.`,
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
