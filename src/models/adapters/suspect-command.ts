import { excerpt } from './excerpt.ts';

const secretFlag = /key|token|secret|passw|bearer|auth|credential/i;
const secretLooking = /^(?=.*[A-Za-z])(?=.*\d)[A-Za-z0-9_+/=-]{20,}$/;

/**
 * Returns the words of a command: blanks separate, quotes of either kind keep together, and no shell
 * is involved.
 */
export function splitCommand(text: string): string[] {
  const words = text.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g);
  return Array.from(words, ([word]) => word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'));
}

/**
 * Returns a command as plans and reports may show it. Left out are the values of flags and variables
 * with a telling name, such as `--api-key X`, long words of letters and digits that look like keys,
 * and what addresses carry beside host and path.
 */
export function displayCommand([program = '', ...rest]: readonly string[]): string {
  const shown = rest.map((word, position) => {
    const before = position === 0 ? '' : rest[position - 1]!;
    if (/^-/.test(before) && !before.includes('=') && secretFlag.test(before)) return '…';
    return displayWord(word);
  });
  return excerpt([program, ...shown].join(' '), 200);
}

function displayWord(word: string): string {
  const [, name = '', value = word] = /^([^=/]*=)(.*)$/s.exec(word) ?? [];
  if (name !== '' && secretFlag.test(name)) return `${name}…`;
  if (/^https?:\/\//.test(value)) return name + withoutSecrets(value);
  const path = value.includes('/') && /[./]/.test(value[0]!);
  return secretLooking.test(value) && !path ? `${name}…` : word;
}

function withoutSecrets(address: string): string {
  return address.replace(/\/\/[^/@]*@/, '//…@').replace(/\?.*$/s, '?…');
}
