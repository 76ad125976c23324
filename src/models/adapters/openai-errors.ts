import { TouchmarkError } from '../../errors.ts';
import { excerpt } from './excerpt.ts';
import { HttpFailure } from './failures.ts';

/**
 * Returns an error of `Transport.post` that quotes what the server says in `error.message` in the place
 * of the document around it, and the field that it names in `error.param`; any other error as it is.
 */
export function plainly(error: unknown): unknown {
  if (!TouchmarkError.isInstance(error) || !(error.cause instanceof HttpFailure)) return error;
  const { message: quoted } = error.cause;
  const said = saidIn(quoted);
  if (said === undefined) return error;
  const { code, hint, cause } = error;
  const message = error.message.replace(quoted, () => said);
  return new TouchmarkError(code, message, { ...(hint !== undefined && { hint }), cause });
}

/** The document was cut for the quotation, so that it need not be whole. */
function saidIn(document: string): string | undefined {
  const message = stringAt('message', document);
  if (message === undefined) return undefined;
  const param = stringAt('param', document);
  const names = param !== undefined && /^[\w.[\]-]{1,60}$/.test(param) && !message.includes(param);
  return excerpt(names ? `${message} (${param})` : message);
}

function stringAt(name: string, document: string): string | undefined {
  const [, text] = new RegExp(`"${name}" ?: ?"((?:[^"\\\\]|\\\\.)*)`).exec(document) ?? [];
  if (text === undefined || text === '') return undefined;
  try {
    return JSON.parse(`"${text}"`);
  } catch {
    return undefined;
  }
}
