import { join, resolve } from 'node:path';
import type { Environment } from '../../config/overrides.ts';
import { FingerprintStore } from '../../store/fingerprints.ts';
import { pathExists } from '../../store/project-files.ts';
import { openProject, type Project } from '../project.ts';

/** Where commands on fingerprints work. */
export interface PlaceOptions {
  /** The default `touchmark.yaml` need not exist: then it is the current directory, without settings. */
  readonly configPath: string;
  /** The process's own by default. */
  readonly environment?: Environment;
}

/** The folder of fingerprints beside a configuration, or in the current directory without one. */
export interface FingerprintPlace {
  readonly store: FingerprintStore;
  /** Where answers are kept while a fingerprint is taken. */
  readonly takingDirectory: string;
  readonly project: Project | undefined;
}

/** Returns the folder of fingerprints of a project's directory. */
export function fingerprintsFolder(directory: string): FingerprintStore {
  return new FingerprintStore(join(directory, 'fingerprints'));
}

const usualConfig = 'touchmark.yaml';

/** @throws TouchmarkError CONFIG_INVALID, also when another configuration than the usual is missing */
export async function openPlace(options: PlaceOptions): Promise<FingerprintPlace> {
  const { configPath } = options;
  const alone = configPath === usualConfig && !(await pathExists(configPath));
  const project = alone ? undefined : await openProject(options);
  const directory = project?.directory ?? resolve('.');
  return {
    store: fingerprintsFolder(directory),
    takingDirectory: join(directory, '.touchmark', 'fingerprints', 'taking'),
    project,
  };
}
