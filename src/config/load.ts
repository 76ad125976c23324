import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { TouchmarkError } from '../errors.ts';
import { beaconChains } from '../keys/beacon.ts';
import type { JwtConfig } from './access.ts';
import {
  applyOverrides,
  type Environment,
  environmentOverrides,
  type Override,
} from './overrides.ts';
import { explainIssues } from './problems.ts';
import { type Config, configSchema, configSchemaName } from './schema.ts';
import { withPaths } from './suspects.ts';
import { readTenantsFile } from './tenants.ts';
import type { BeaconConfig } from './vouching.ts';

/** A configuration, where it came from, and what was set from outside the file. */
export interface LoadedConfig {
  /** Absolute path of the file. */
  readonly path: string;
  /** Its directory, which the paths in it are relative to. */
  readonly directory: string;
  /** The settings; every path in them is absolute. */
  readonly config: Config;
  readonly overrides: readonly Override[];
}

/** Returns what a configuration file's text is, with a way from positions to lines. */
export interface ConfigText {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
}

/**
 * Reads touchmark.yaml. A flag goes before an environment variable, that before the file, and the
 * file before the defaults.
 *
 * @param options.flags settings from the command line
 * @throws TouchmarkError CONFIG_INVALID listing every problem with its place, value and what is
 *   allowed there; secrets are never part of it
 */
export async function loadConfig(
  path: string,
  options: { readonly environment?: Environment; readonly flags?: readonly Override[] } = {},
): Promise<LoadedConfig> {
  const { environment = process.env, flags = [] } = options;
  const text = await readConfigText(path);
  const overrides = [...environmentOverrides(environment), ...flags];
  const config = checkConfig(path, parseConfigText(path, text), overrides);
  const directory = dirname(resolve(path));
  const absolute = absolutePaths(config, directory);
  const { tenantsFile, tenants } = absolute;
  const all = tenantsFile === undefined ? tenants : await readTenantsFile(tenantsFile, tenants);
  return { path: resolve(path), directory, config: { ...absolute, tenants: all }, overrides };
}

/** Returns the text of a configuration file. @throws TouchmarkError CONFIG_INVALID without one */
export async function readConfigText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    const message =
      code === 'ENOENT'
        ? `There is no configuration file ${path}.`
        : `Could not read the configuration file ${path} (${code}).`;
    throw new TouchmarkError('CONFIG_INVALID', message, {
      hint: 'Make one with `touchmark init --yes --directory DIRECTORY`, or give yours with --config.',
      cause,
    });
  }
}

/** Returns the YAML document of a text. @throws TouchmarkError CONFIG_INVALID naming the line */
export function parseConfigText(path: string, text: string): ConfigText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem === undefined) return { document, lines };
  const { line, col } = lines.linePos(problem.pos[0]);
  throw new TouchmarkError('CONFIG_INVALID', `${path}:${line}:${col}: ${problem.message}`, {
    hint: 'The file is no valid YAML there; look at indentation, colons and quotes.',
  });
}

function checkConfig(path: string, text: ConfigText, overrides: readonly Override[]): Config {
  const content: unknown = text.document.toJS();
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new TouchmarkError('CONFIG_INVALID', `${path} holds no settings.`, {
      hint: `It begins with "schema: ${configSchemaName}"; see \`touchmark config schema\`.`,
    });
  }
  refuseOtherVersions(path, content);
  const present = Object.entries(content).filter(([, value]) => value !== null);
  const result = configSchema.safeParse(applyOverrides(Object.fromEntries(present), overrides));
  if (result.success) return result.data;
  const problems = explainIssues(result.error.issues, { path, ...text, overrides });
  throw new TouchmarkError('CONFIG_INVALID', problems.join('\n'), {
    hint: '`touchmark config schema` prints every setting with its range and default.',
  });
}

function refuseOtherVersions(path: string, content: object): void {
  const schema = 'schema' in content ? content.schema : undefined;
  if (typeof schema !== 'string' || !/^touchmark\/config@\d+$/.test(schema)) return;
  if (schema === configSchemaName) return;
  throw new TouchmarkError(
    'CONFIG_INVALID',
    `${path} says ${schema}; this version reads ${configSchemaName}.`,
    { hint: 'Use the version of touchmark that the file was written for.' },
  );
}

function absolutePaths(config: Config, directory: string): Config {
  const { keys, inputs, log, audit, serve, tenantsFile } = config;
  const [, kind, keyPath] = /^(file|bundle):(.+)$/s.exec(keys.source) ?? [];
  return {
    ...config,
    ...(tenantsFile && { tenantsFile: resolve(directory, tenantsFile) }),
    serve: { ...serve, ...(serve.jwt && { jwt: withKeySetPath(serve.jwt, directory) }) },
    keys: {
      ...keys,
      ...(keyPath && { source: `${kind}:${resolve(directory, keyPath)}` }),
      ...(keys.ring && { ring: resolve(directory, keys.ring) }),
    },
    inputs: {
      twin: resolve(directory, inputs.twin),
      fresh: resolve(directory, inputs.fresh),
      traps: resolve(directory, inputs.traps),
      fingerprint: resolve(directory, inputs.fingerprint),
      ...(inputs.sameData && { sameData: resolve(directory, inputs.sameData) }),
      ...(inputs.otherData && { otherData: resolve(directory, inputs.otherData) }),
    },
    log: { ...log, directory: resolve(directory, log.directory) },
    audit: { ...audit, ...(audit.beacon && { beacon: beaconPaths(audit.beacon, directory) }) },
    suspects: withPaths(config.suspects, (path) => resolve(directory, path)),
  };
}

function withKeySetPath(jwt: JwtConfig, directory: string): JwtConfig {
  if (jwt.jwks === undefined || /^https?:/i.test(jwt.jwks)) return jwt;
  return { ...jwt, jwks: resolve(directory, jwt.jwks) };
}

function beaconPaths({ chain, rounds, ...rest }: BeaconConfig, directory: string): BeaconConfig {
  return {
    ...rest,
    chain: chain in beaconChains ? chain : resolve(directory, chain),
    ...(rounds !== undefined && { rounds: resolve(directory, rounds) }),
  };
}
