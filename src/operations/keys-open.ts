import type { KeyObject } from 'node:crypto';
import type { EpochKeys } from '../serve/marking-ground.ts';
import { openEpochBundle } from '../store/epoch-bundle.ts';
import { openProjectRing, type Project } from './project.ts';

/** What a gateway may do with keys: it begins no epochs, and has none of other purposes. */
export interface GatewayKeys extends EpochKeys {
  /** The file that the epochs are from. */
  readonly path: string;
  tenants(): readonly string[];
  has(tenant: string): boolean;
}

/**
 * Opens the epochs that a gateway marks under: those of an epoch bundle where `keys.source` says
 * `bundle:PATH`, else of the key ring. With a bundle there is no key to sign checkpoints of the log:
 * they stay unsigned.
 *
 * What is returned never changes; call again to learn of new epochs. That a key is the one committed
 * to is not checked here, which would take some 60 ms for each tenant's first question.
 *
 * @throws TouchmarkError as `openEpochBundle` or `openKeyRing`
 */
export async function openEpochKeys(
  project: Project,
): Promise<{ readonly keys: GatewayKeys; readonly signingKey?: KeyObject }> {
  const [, bundlePath] = /^bundle:(.+)$/s.exec(project.config.keys.source) ?? [];
  if (bundlePath !== undefined) return { keys: await openEpochBundle(bundlePath) };
  const ring = await openProjectRing(project);
  const keys: GatewayKeys = {
    path: ring.path,
    tenants: () => ring.tenants(),
    has: (tenant) => ring.has(tenant),
    currentEpoch: (tenant) => ring.currentEpoch(tenant),
    epochKey: (tenant, epoch) => ring.derivedKey(tenant, epoch),
  };
  return { keys, signingKey: ring.signingKey() };
}
