import { z } from 'zod';
import { configSchema } from './schema.ts';

type Schema = z.core.$ZodType;

/** Returns a schema without its defaults and its being optional. */
export function bare(schema: Schema): Schema {
  let inner = schema;
  while (
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault ||
    inner instanceof z.ZodExactOptional
  ) {
    inner = inner.unwrap();
  }
  return inner;
}

/** Returns the fields of an object schema; none for any other schema. */
export function fieldsOf(schema: Schema): readonly (readonly [name: string, schema: Schema])[] {
  const inner = bare(schema);
  return inner instanceof z.ZodObject ? Object.entries<Schema>(inner.shape) : [];
}

/** Returns what the configuration says at a path, or undefined where it says nothing. */
export function schemaAt(path: readonly PropertyKey[]): Schema | undefined {
  let schema: Schema | undefined = configSchema;
  for (const step of path) {
    if (schema === undefined) return undefined;
    const inner = bare(schema);
    if (inner instanceof z.ZodArray) schema = inner.element;
    else schema = fieldsOf(inner).find(([name]) => name === step)?.[1];
  }
  return schema;
}

/** Returns the description of the setting at a path; the empty string where there is none. */
export function descriptionAt(path: readonly PropertyKey[]): string {
  const schema = schemaAt(path);
  return schema === undefined ? '' : describe(schema);
}

/** Returns a schema's description. */
export function describe(schema: Schema): string {
  return z.globalRegistry.get(schema)?.description ?? '';
}

/** Every setting that has one plain value, as section and field. */
export function scalarSettings(): {
  readonly path: readonly [section: string, field: string];
  readonly schema: Schema;
}[] {
  return fieldsOf(configSchema).flatMap(([section, sectionSchema]) =>
    fieldsOf(sectionSchema)
      .map(([field, schema]) => ({ path: [section, field] as const, schema: bare(schema) }))
      .filter(({ schema }) => isScalar(schema)),
  );
}

function isScalar(schema: Schema): boolean {
  return (
    schema instanceof z.ZodString || schema instanceof z.ZodNumber || schema instanceof z.ZodBoolean
  );
}
