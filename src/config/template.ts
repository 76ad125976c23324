import { Document, isMap, isScalar, type Pair, type YAMLMap } from 'yaml';
import { z } from 'zod';
import { bare, describe, fieldsOf } from './introspection.ts';
import { configSchema, configSchemaName } from './schema.ts';

/** What stands in the file that `init` writes where there is no default. */
const examples = {
  model: { name: 'my-model', upstream: 'http:http://127.0.0.1:8080/classify' },
};

/** What a new file says otherwise than by default. */
export interface TemplateSettings {
  /** `model.upstream` */
  readonly upstream?: string;
  /** `text.tokenizer` */
  readonly tokenizer?: string;
}

const heading = ` touchmark.yaml: paths are relative to this file. Environment variables go before it,
 for example TOUCHMARK_SERVE_PORT=8080, and flags before those.`;

/**
 * Returns a commented touchmark.yaml with every default written out, made from the schema, so that
 * it always parses and never names a setting that does not exist.
 */
export function configTemplate(
  tenants: readonly { readonly id: string; readonly apiKeySha256: string }[],
  settings: TemplateSettings = {},
): string {
  const { upstream, tokenizer } = settings;
  const { schema: _, ...sections } = configSchema.parse({
    schema: configSchemaName,
    ...examples,
    ...(upstream !== undefined && { model: { ...examples.model, upstream } }),
    ...(tokenizer !== undefined && { text: { tokenizer } }),
    tenants,
  });
  const document = new Document({ schema: configSchemaName, ...sections });
  document.commentBefore = heading;
  if (isMap(document.contents)) annotate(document.contents, configSchema, true);
  return document.toString({ lineWidth: 100, flowCollectionPadding: true });
}

/** Puts each setting's description above it, and settings without a value in comments. */
function annotate(map: YAMLMap, schema: z.core.$ZodType, isTop: boolean): void {
  const present = new Map(map.items.map((pair) => [keyOf(pair), pair]));
  const absent: string[] = [];
  for (const [name, field] of fieldsOf(schema)) {
    const pair = present.get(name);
    if (pair === undefined) {
      absent.push(` ${describe(field)}`, ` ${name}:`);
      continue;
    }
    const { key, value } = pair;
    if (isScalar(key)) {
      key.commentBefore = ` ${describe(field)}`;
      key.spaceBefore = isTop && name !== 'schema';
    }
    if (isMap(value) && bare(field) instanceof z.ZodObject) annotate(value, field, false);
  }
  if (absent.length > 0) map.comment = absent.join('\n');
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : '';
}
