import { setImmediate as otherWork } from 'node:timers/promises';
import { type TenantEntry, tenantName } from '../config/tenants.ts';
import type { Progress } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { createApiKeyFile, generateApiKey, hashApiKey } from '../store/api-keys.ts';
import type { KeyRing } from '../store/key-ring.ts';
import type { EpochRecord } from '../store/key-ring-file.ts';
import { readTextIfPresent, replaceFile } from '../store/project-files.ts';
import {
  openOrCreateRing,
  openProject,
  openProjectRing,
  type Project,
  type ProjectOptions,
} from './project.ts';

/** Tenants whose epochs are kept together: each save writes the whole ring. */
const tenantsPerSave = 1000;

/** Much is kept as it goes on, so what was made before an interruption stays. */
export interface ManyOptions extends ProjectOptions {
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** What was made for many tenants. */
export interface GeneratedKeys {
  readonly tenants: number;
  /** Names that the configuration had before, and that nothing was made for. */
  readonly skipped: number;
  /** The file of the API keys, mode 0600; null for tenants without. */
  readonly apiKeysFile: string | null;
  readonly tenantsFile: string;
  /** The key ring file, when there was none and it was made. */
  readonly newRing: string | null;
}

/**
 * Adds many tenants: epochs in the key ring, API keys in one new file of mode 0600 (JSON lines of id
 * and apiKey), and lines in the tenants file of the configuration. Names that the configuration has are
 * skipped, so the same names go on after an interruption, with another file. Some 60 ms a tenant, for
 * the commitment to its key.
 *
 * @param options.names see `parseNames`
 * @param options.out the file of API keys; without it the tenants get none, and ask with a JWT
 * @throws TouchmarkError CONFIG_INVALID without tenantsFile; USAGE without `out` and serve.jwt, or when
 *   the file exists; INTERRUPTED
 */
export async function generateKeys(
  options: ManyOptions & { readonly names: readonly string[]; readonly out?: string },
): Promise<GeneratedKeys> {
  const { names, out } = options;
  const project = await openProject(options);
  const tenantsFile = requireTenantsFile(project);
  if (out === undefined && project.config.serve.jwt === undefined) {
    throw new TouchmarkError('USAGE', 'There is no file for the API keys.', {
      hint: 'Give a new one with --out FILE; only with serve.jwt in the configuration do tenants need none.',
    });
  }
  const known = new Set(project.config.tenants.map(({ id }) => id));
  const wanted = names.filter((name) => !known.has(name));
  const { ring, isNew } = await openOrCreateRing(project);
  const apiKeys = out === undefined ? undefined : await createApiKeyFile(out);
  let tenants = 0;
  try {
    for await (const epochs of beginEpochs(ring, wanted, options)) {
      const made = epochs.map(({ tenant: id }) => ({ id, apiKey: generateApiKey() }));
      await apiKeys?.add(made);
      await addTenants(tenantsFile, made.map(apiKeys === undefined ? withoutKey : withHash));
      tenants += made.length;
    }
  } finally {
    await apiKeys?.close();
  }
  options.signal.throwIfAborted();
  return {
    tenants,
    skipped: names.length - wanted.length,
    apiKeysFile: out ?? null,
    tenantsFile,
    newRing: isNew ? ring.path : null,
  };
}

/**
 * Begins the next epoch of many tenants and closes those before; see `rotateKey`.
 *
 * @param options.names all tenants of the configuration without it
 * @returns how many were rotated
 * @throws TouchmarkError TENANT_UNKNOWN before anything is done; INTERRUPTED, and what was begun stays
 */
export async function rotateKeys(
  options: ManyOptions & { readonly names?: readonly string[] },
): Promise<{ readonly tenants: number }> {
  const project = await openProject(options);
  const ring = await openProjectRing(project);
  const names = options.names ?? project.config.tenants.map(({ id }) => id);
  for (const name of names) ring.currentEpoch(name);
  let tenants = 0;
  for await (const epochs of beginEpochs(ring, names, options)) tenants += epochs.length;
  options.signal.throwIfAborted();
  return { tenants };
}

/**
 * Returns the names of a text, one a line; empty lines are skipped.
 *
 * @param where names the text in errors
 * @throws TouchmarkError INPUT_INVALID naming the line of a name that is none, or there twice
 */
export function parseNames(text: string, where: string): string[] {
  const lines = new Map<string, number>();
  text.split('\n').forEach((line, index) => {
    const name = line.trim();
    if (name === '') return;
    const place = `${where}:${index + 1}`;
    if (!tenantName.safeParse(name).success) {
      throw new TouchmarkError('INPUT_INVALID', `${place}: this cannot be a tenant's name.`, {
        hint: tenantName.description ?? '',
      });
    }
    const first = lines.get(name);
    if (first !== undefined) {
      throw new TouchmarkError('INPUT_INVALID', `${place}: ${name} is in line ${first} already.`);
    }
    lines.set(name, index + 1);
  });
  return [...lines.keys()];
}

/** Yields epochs once the ring has them for good; stops early, and keeps them, when interrupted. */
async function* beginEpochs(
  ring: KeyRing,
  tenants: readonly string[],
  { signal, progress }: ManyOptions,
): AsyncGenerator<readonly EpochRecord[]> {
  let begun: EpochRecord[] = [];
  for (const [index, tenant] of tenants.entries()) {
    if (signal.aborted) break;
    begun.push(ring.addEpoch(tenant, new Date().toISOString()));
    progress('committing to keys', index + 1, tenants.length);
    await otherWork();
    if (begun.length < tenantsPerSave) continue;
    await ring.save();
    yield begun;
    begun = [];
  }
  if (begun.length === 0) return;
  await ring.save();
  yield begun;
}

async function addTenants(path: string, tenants: readonly TenantEntry[]): Promise<void> {
  const text = (await readTextIfPresent(path)) ?? '';
  const end = text === '' || text.endsWith('\n') ? '' : '\n';
  const lines = tenants.map((tenant) => `${JSON.stringify(tenant)}\n`);
  await replaceFile(path, text + end + lines.join(''));
}

function withHash({ id, apiKey }: { readonly id: string; readonly apiKey: string }): TenantEntry {
  return { id, apiKeySha256: hashApiKey(apiKey) };
}

function withoutKey({ id }: { readonly id: string }): TenantEntry {
  return { id };
}

function requireTenantsFile({ config, path }: Project): string {
  if (config.tenantsFile !== undefined) return config.tenantsFile;
  throw new TouchmarkError('CONFIG_INVALID', `${path} names no file for many tenants.`, {
    hint: 'Make an empty file and name it there: tenantsFile: tenants.jsonl',
  });
}
