import { addTenantToFile } from '../config/edit.ts';
import { tenantName } from '../config/tenants.ts';
import { TouchmarkError } from '../errors.ts';
import { generateApiKey, hashApiKey } from '../store/api-keys.ts';
import type { KeyRing } from '../store/key-ring.ts';
import type { EpochRecord } from '../store/key-ring-file.ts';
import { createFile, pathExists } from '../store/project-files.ts';
import {
  apiKeyPath,
  openOrCreateRing,
  openProject,
  openProjectRing,
  type ProjectOptions,
} from './project.ts';

export interface TenantOptions extends ProjectOptions {
  readonly tenant: string;
}

/** A new tenant: where its API key is, and what to publish. */
export interface GeneratedKey {
  readonly tenant: string;
  readonly epoch: string;
  readonly commitment: string;
  /** The file that holds the API key, mode 0600. */
  readonly apiKeyFile: string;
  readonly apiKeySha256: string;
  /** The key ring file, when there was none and it was made. */
  readonly newRing: string | null;
}

/**
 * Adds a tenant: a new epoch with its commitment in the key ring, an API key in a file, and its hash
 * in the configuration; makes the key ring where there is none. A gateway that runs reads it
 * by itself.
 *
 * @throws TouchmarkError USAGE when the tenant or its key file exists, or its name is no file name
 */
export async function generateKey(options: TenantOptions): Promise<GeneratedKey> {
  const { tenant } = options;
  const project = await openProject(options);
  const apiKeyFile = apiKeyPath(project.directory, requireTenantName(tenant));
  if (project.config.tenants.some(({ id }) => id === tenant)) {
    throw new TouchmarkError('USAGE', `${project.path} has the tenant "${tenant}" already.`, {
      hint: `For a new epoch of its key: touchmark keys rotate --tenant ${tenant}`,
    });
  }
  if (await pathExists(apiKeyFile)) {
    throw new TouchmarkError('USAGE', `${apiKeyFile} exists already.`, {
      hint: 'It is the key of a tenant that the configuration does not have: move it away first.',
    });
  }
  const { ring, isNew } = await openOrCreateRing(project);
  const { epoch, commitment } = await beginEpoch(ring, tenant);
  const apiKey = generateApiKey();
  const apiKeySha256 = hashApiKey(apiKey);
  await createFile(apiKeyFile, [`${apiKey}\n`], 0o600);
  await addTenantToFile(project.path, { id: tenant, apiKeySha256 });
  return { tenant, epoch, commitment, apiKeyFile, apiKeySha256, newRing: isNew ? ring.path : null };
}

/** One epoch as it may be shown: nothing in it is secret. */
export interface ListedEpoch {
  readonly tenant: string;
  readonly epoch: string;
  readonly commitment: string;
  readonly createdAt: string;
  /** Null for the epoch in use. */
  readonly closedAt: string | null;
}

/** Returns every epoch of every tenant, oldest first by tenant. */
export async function listKeys(options: ProjectOptions): Promise<ListedEpoch[]> {
  const ring = await openProjectRing(await openProject(options));
  return ring.tenants().flatMap((tenant) => ring.epochs(tenant).map(listed));
}

/**
 * Begins a tenant's next epoch and closes the one before, whose answers can then be audited. A
 * gateway that runs reads the new one by itself.
 *
 * @throws TouchmarkError TENANT_UNKNOWN naming the known ones
 */
export async function rotateKey(options: TenantOptions): Promise<ListedEpoch> {
  const ring = await openProjectRing(await openProject(options));
  ring.epochs(options.tenant);
  return listed(await beginEpoch(ring, options.tenant));
}

/** Begins a tenant's next epoch and saves the ring. */
export async function beginEpoch(ring: KeyRing, tenant: string): Promise<EpochRecord> {
  const record = ring.addEpoch(tenant, new Date().toISOString());
  await ring.save();
  return record;
}

function listed({ tenant, epoch, commitment, createdAt, closedAt }: EpochRecord): ListedEpoch {
  return { tenant, epoch, commitment, createdAt, closedAt: closedAt ?? null };
}

function requireTenantName(tenant: string): string {
  if (tenantName.safeParse(tenant).success) return tenant;
  throw new TouchmarkError('USAGE', `${JSON.stringify(tenant)} cannot be a tenant's name.`, {
    hint: tenantName.description ?? '',
  });
}
