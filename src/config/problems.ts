import { type Document, isMap, isNode, isPair, type LineCounter } from 'yaml';
import type { z } from 'zod';
import { descriptionAt, fieldsOf, schemaAt } from './introspection.ts';
import { nearest } from './nearest.ts';
import type { Override } from './overrides.ts';

/** The text that was read, to tell where in it a setting is. */
export interface Source {
  readonly path: string;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly overrides: readonly Override[];
}

/** Settings next to which people put secrets by mistake; their values are never shown. */
const hidden = new Set<PropertyKey>(['apiKeySha256', 'source', 'upstream']);

/** Returns one line per problem: its place, the setting, its value, and what is allowed. */
export function explainIssues(issues: readonly z.core.$ZodIssue[], source: Source): string[] {
  return issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => unknownKey([...issue.path, key], source))
      : [wrongValue(issue, source)],
  );
}

function unknownKey(path: readonly PropertyKey[], source: Source): string {
  const section = path.slice(0, -1);
  const schema = schemaAt(section);
  const known = schema === undefined ? [] : fieldsOf(schema).map(([name]) => name);
  const meant = nearest(String(path.at(-1)), known);
  const advice = meant === undefined ? `known are ${known.join(', ')}` : `did you mean ${meant}?`;
  return `${placeOf(path, source)}: ${dotted(path)} is no known setting; ${advice}`;
}

function wrongValue(issue: z.core.$ZodIssue, source: Source): string {
  const { path } = issue;
  const value = valueAt(path, source);
  const description = descriptionAt(path) || descriptionAt(path.slice(0, -1));
  const allowed = description === '' ? '' : ` Allowed: ${description}`;
  const place = placeOf(path, source);
  if (value === undefined) return `${place}: ${dotted(path)} is missing.${allowed}`;
  const shown = hidden.has(path.at(-1) ?? '') ? '' : ` ${shownValue(value)}`;
  return `${place}: ${dotted(path)}${shown === '' ? '' : ` is${shown}`}: ${issue.message}.${allowed}`;
}

/** Where a setting was made: a variable, a flag, or file and line of its key. */
function placeOf(path: readonly PropertyKey[], source: Source): string {
  const override = overrideOf(path, source);
  if (override !== undefined) return override.from;
  for (let length = path.length; length > 0; length -= 1) {
    const offset = offsetOf(path.slice(0, length), source.document);
    if (offset !== undefined) return `${source.path}:${source.lines.linePos(offset).line}`;
  }
  return source.path;
}

function offsetOf(path: readonly PropertyKey[], document: Document.Parsed): number | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => keyText(key) === String(path.at(-1)));
    return isPair(pair) && isNode(pair.key) ? pair.key.range?.[0] : undefined;
  }
  const node = document.getIn(path, true);
  return isNode(node) ? node.range?.[0] : undefined;
}

function keyText(key: unknown): string {
  return isNode(key) && 'value' in key ? String(key.value) : String(key);
}

function valueAt(path: readonly PropertyKey[], source: Source): unknown {
  const override = overrideOf(path, source);
  if (override !== undefined) return override.value;
  const content: unknown = source.document.toJS();
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined,
    content,
  );
}

function overrideOf(path: readonly PropertyKey[], { overrides }: Source): Override | undefined {
  return overrides.findLast((each) => each.path.join('.') === path.join('.'));
}

function shownValue(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? typeof value);
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}

function dotted(path: readonly PropertyKey[]): string {
  return path.map(String).join('.');
}
