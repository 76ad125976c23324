import { TouchmarkError } from '../errors.ts';

/**
 * Returns the bearer token that an environment variable holds; undefined without a variable.
 *
 * @throws TouchmarkError USAGE when the variable is not set
 */
export function bearerFrom(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const bearer = process.env[name];
  if (bearer !== undefined && bearer !== '') return bearer;
  throw new TouchmarkError('USAGE', `The environment variable ${name} is not set.`, {
    hint: "--suspect-bearer-env names it: put the suspect's bearer token there.",
  });
}
