import { z } from 'zod';
import { fieldsOf, scalarSettings } from './introspection.ts';
import { type Config, configSchema } from './schema.ts';

/** The variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A setting from outside the file, and where it came from. */
export interface Override {
  readonly path: readonly [section: string, field: string];
  readonly value: unknown;
  /** As the user wrote it: a variable's name, or a flag. */
  readonly from: string;
}

/** Returns the environment variable of a setting: TOUCHMARK_SERVE_PORT for serve.port. */
export function variableOf([section, field]: Override['path']): string {
  const words = `${section}_${field.replace(/([A-Z])/g, '_$1')}`;
  return `TOUCHMARK_${words.toUpperCase()}`;
}

/** Returns the settings that environment variables make; an empty variable makes none. */
export function environmentOverrides(environment: Environment): Override[] {
  return scalarSettings().flatMap(({ path, schema }) => {
    const from = variableOf(path);
    const text = environment[from];
    if (text === undefined || text === '') return [];
    return [{ path, from, value: readScalar(text, schema) }];
  });
}

/** Returns a document with the settings of `overrides` in it; of two for one setting, the later. */
export function applyOverrides(
  document: Readonly<Record<string, unknown>>,
  overrides: readonly Override[],
): Record<string, unknown> {
  const whole = { ...document };
  for (const { path, value } of overrides) {
    const [section, field] = path;
    const before = whole[section];
    whole[section] = { ...(typeof before === 'object' ? before : {}), [field]: value };
  }
  return whole;
}

/** Text that is no value of its kind stays text, so that the schema refuses it by name. */
function readScalar(text: string, schema: z.core.$ZodType): unknown {
  if (schema instanceof z.ZodNumber) {
    const number = Number(text);
    return Number.isFinite(number) && text.trim() !== '' ? number : text;
  }
  if (schema instanceof z.ZodBoolean && (text === 'true' || text === 'false')) {
    return text === 'true';
  }
  return text;
}

/** Returns the variables that are named like settings but are none, nor hold a secret by name. */
export function unknownVariables(environment: Environment, config: Config): string[] {
  const { model, keys } = config;
  const known = new Set([
    ...scalarSettings().map(({ path }) => variableOf(path)),
    model.bearerEnvironment,
    keys.passphraseEnvironment,
    keys.source.replace(/^env:/, ''),
  ]);
  const sections = fieldsOf(configSchema).map(([name]) => `TOUCHMARK_${name.toUpperCase()}_`);
  return Object.keys(environment)
    .filter((name) => sections.some((prefix) => name.startsWith(prefix)) && !known.has(name))
    .sort();
}
