import { z } from 'zod';
import { excerpt } from '../../models/adapters/excerpt.ts';
import { tooHeavy } from '../../models/adapters/json-weight.ts';
import { invalid } from '../inputs.ts';

/**
 * Returns the JSON document that a body holds.
 *
 * @throws RequestError 400 when it is no UTF-8 or no JSON, naming the place, or so deep or of so many
 *   values that reading it would stop the gateway for all others.
 */
export function parseBody(bytes: Buffer): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid('the body is no UTF-8; encode it as UTF-8');
  }
  if (tooHeavy(text) !== undefined) {
    throw invalid('the body is too deep, or of too many values; send fewer inputs, plainly');
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? excerpt(error.message, 160) : '';
    throw invalid(`the body is no JSON: ${reason}; send a JSON object`);
  }
}

/**
 * Returns a document as its schema reads it; unknown members are dropped.
 *
 * @throws RequestError 400 naming the first member that does not fit.
 */
export function readDocument<Document>(
  schema: z.ZodType<Document>,
  document: unknown,
  name: string,
): Document {
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue === undefined ? '' : z.core.toDotPath(issue.path);
  throw invalid(`${path === '' ? name : path}: ${issue?.message ?? 'does not fit'}`);
}
