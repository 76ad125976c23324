import { join } from 'node:path';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import type { Environment, Override } from '../config/overrides.ts';
import {
  createKeyRing,
  type KeyRing,
  type KeyRingOptions,
  openKeyRing,
} from '../store/key-ring.ts';
import { pathExists } from '../store/project-files.ts';

/** Which project to work on, and what goes before its file. */
export interface ProjectOptions {
  readonly configPath: string;
  /** The process's own by default. */
  readonly environment?: Environment;
  /** Settings from the command line. */
  readonly flags?: readonly Override[];
}

/** A checked configuration and the project's files that it does not name. */
export interface Project extends LoadedConfig {
  readonly environment: Environment;
  /** The sealed watermark profile. */
  readonly profilePath: string;
  /** The same of a language model. */
  readonly textProfilePath: string;
}

/** Returns the project that a configuration file describes. @throws TouchmarkError CONFIG_INVALID */
export async function openProject(options: ProjectOptions): Promise<Project> {
  const { environment = process.env, flags = [] } = options;
  const loaded = await loadConfig(options.configPath, { environment, flags });
  const fileOf = (name: string) => join(loaded.directory, '.touchmark', name);
  return {
    ...loaded,
    environment,
    profilePath: fileOf('profile.json'),
    textProfilePath: fileOf('text-profile.json'),
  };
}

/** Returns where `init` and `keys generate` put a tenant's API key. */
export function apiKeyPath(directory: string, tenant: string): string {
  return join(directory, '.touchmark', 'api-keys', `${tenant}.key`);
}

/** Returns what opens a project's key ring; the passphrase comes from the environment. */
export function keyRingOptions({ config, environment }: Project): KeyRingOptions {
  const { source, ring, passphraseEnvironment } = config.keys;
  const passphrase = environment[passphraseEnvironment];
  return {
    source,
    environment,
    ...(ring === undefined ? {} : { path: ring }),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
}

/** Opens a project's key ring; errors as for `openKeyRing`. */
export function openProjectRing(project: Project): Promise<KeyRing> {
  return openKeyRing(keyRingOptions(project));
}

/** Opens a project's key ring, and makes it first where its file is not there yet. */
export async function openOrCreateRing(
  project: Project,
): Promise<{ readonly ring: KeyRing; readonly isNew: boolean }> {
  const { source, ring: path = source.replace(/^file:/, '') } = project.config.keys;
  if (await pathExists(path)) return { ring: await openProjectRing(project), isNew: false };
  return { ring: await createKeyRing(keyRingOptions(project)), isNew: true };
}
