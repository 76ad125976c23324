import { TouchmarkError } from '../../errors.ts';
import { excerpt } from './excerpt.ts';
import type { SuspectSpecification } from './suspect-forms.ts';

/**
 * Returns the suspect that a text means: the one of that name, or else the text itself, which then is
 * of the form `PROTOCOL:WHERE`.
 *
 * @param suspects Suspects by name, as touchmark.yaml has them under `suspects`.
 * @throws USAGE for a name that is not among them, listing those that are.
 */
export function resolveSuspect(
  text: string,
  suspects: Readonly<Record<string, SuspectSpecification>> = {},
): SuspectSpecification {
  if (Object.hasOwn(suspects, text)) return suspects[text]!;
  if (text.includes(':')) return text;
  const names = Object.keys(suspects).slice(0, 12).join(', ');
  const known = names === '' ? 'touchmark.yaml names none' : `touchmark.yaml names ${names}`;
  throw new TouchmarkError('USAGE', `there is no suspect called "${excerpt(text, 60)}"; ${known}`, {
    hint: 'add it under suspects: in touchmark.yaml, or write PROTOCOL:ADDRESS',
  });
}

/** Returns who runs a suspect, where its full form says so; `text` and `suspects` as above. */
export function operatorOf(
  text: string,
  suspects?: Readonly<Record<string, SuspectSpecification>>,
): string | undefined {
  const suspect = resolveSuspect(text, suspects);
  return typeof suspect === 'string' ? undefined : suspect.operator;
}
