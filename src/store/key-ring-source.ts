import { TouchmarkError } from '../errors.ts';
import { type KeySource, parseKeySource, readRoot } from './key-source.ts';
import { openRoot, type RootSection } from './root-section.ts';

/** Which key ring, and what opens it. */
export interface KeyRingOptions {
  /** `file:PATH`, `env:NAME` or `exec:COMMAND ARGUMENTS`; see `parseKeySource`. */
  readonly source: string;
  /** The ring file, when the source is not itself one. */
  readonly path?: string;
  /** For rings with a root of their own. */
  readonly passphrase?: string;
  /** Where `env:` looks; the process's own environment by default. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Returns where a ring's root is. @throws TouchmarkError CONFIG_INVALID for an epoch bundle */
export function ringSource({ source }: KeyRingOptions): KeySource {
  if (!source.startsWith('bundle:')) return parseKeySource(source);
  throw new TouchmarkError(
    'CONFIG_INVALID',
    `${source.slice('bundle:'.length)} is an epoch bundle: it has the keys in use, and not the root key that this needs.`,
    { hint: 'Do this where the key ring is; a bundle is for the gateway alone.' },
  );
}

/** Returns the ring file. @throws TouchmarkError CONFIG_INVALID when none is named */
export function ringPath(source: KeySource, path: string | undefined): string {
  if (source.kind === 'file') return source.path;
  if (path !== undefined) return path;
  throw new TouchmarkError(
    'CONFIG_INVALID',
    `A key source ${source.kind}: needs a ring file too.`,
    {
      hint: 'Say where the key ring is kept: the source gives the root key only.',
    },
  );
}

/**
 * Returns the root key of a ring.
 *
 * @throws TouchmarkError CONFIG_INVALID when ring and source do not belong together, and as `openRoot`
 *   and `readRoot`
 */
export function rootOf(
  section: RootSection,
  source: KeySource,
  path: string,
  options: KeyRingOptions,
): Promise<Buffer> {
  if (section.kind === 'external') {
    if (source.kind !== 'file') return readRoot(source, options);
    throw new TouchmarkError('CONFIG_INVALID', `${path} has no root key of its own.`, {
      hint: 'Give the env: or exec: source that it was made with.',
    });
  }
  if (source.kind === 'file') return openRoot(section, path, options.passphrase);
  throw new TouchmarkError('CONFIG_INVALID', `${path} has a root key of its own.`, {
    hint: `Give it as file:${path}.`,
  });
}
