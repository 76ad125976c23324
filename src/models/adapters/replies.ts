import { z } from 'zod';
import { TouchmarkError } from '../../errors.ts';

/** A label on the wire. Real models have none longer, nor more of them, than these limits. */
export const wireLabel = z.string().min(1).max(256);
export const wireLabels = z.array(wireLabel).max(65_536);

/**
 * Returns a reply as its schema reads it.
 *
 * @param address The suspect's address, as it may be shown.
 * @throws SUSPECT_ANSWER_INVALID naming the first part that does not fit.
 */
export function checkReply<Reply>(
  schema: z.ZodType<Reply>,
  reply: unknown,
  address: string,
): Reply {
  const result = schema.safeParse(reply);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = z.core.toDotPath(issue?.path ?? []);
  const misfit = [place, issue?.message].filter((part) => part !== '').join(': ');
  throw invalidAnswer(
    address,
    `does not fit the protocol (${misfit})`,
    'check that the address and the protocol before it belong together',
  );
}

/** Returns the error for an answer that cannot be read; `address` as it may be shown. */
export function invalidAnswer(address: string, what: string, hint: string): TouchmarkError {
  const message = `the answer of the model at ${address} ${what}`;
  return new TouchmarkError('SUSPECT_ANSWER_INVALID', message, { hint });
}
