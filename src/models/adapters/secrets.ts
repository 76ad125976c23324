/** Shorter texts are no secrets, and would be found everywhere. */
const shortest = 8;

/** Returns what of the values that are sent with a request must not be shown: all of each, and what follows a scheme. */
export function secretsIn(values: readonly string[]): string[] {
  const spoken = values.flatMap((value) => [value, value.replace(/^[A-Za-z-]+ +(?=\S+$)/, '')]);
  return [...new Set(spoken)].filter((secret) => secret.length >= shortest);
}

/**
 * Returns foreign text with an ellipsis in the place of each secret, as it is, percent-encoded, or
 * with any of its characters escaped as JSON allows (RFC 8259 section 7): encoders that write `\/`
 * for `/` are common. Nothing finds what a server disguises on purpose otherwise.
 */
export function maskSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((masked, secret) => {
    const plain = masked.replaceAll(secret, '…').replaceAll(encodeURIComponent(secret), '…');
    return plain.includes('\\') ? plain.replace(escapedForms(secret), '…') : plain;
  }, text);
}

function escapedForms(secret: string): RegExp {
  const forms = [...secret].map((character) => {
    const hex = character.charCodeAt(0).toString(16).padStart(4, '0');
    const digits = hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
    const literal = character.replace(/[^\w\s]/, '\\$&');
    return `(?:${'"\\/'.includes(character) ? '\\\\?' : ''}${literal}|\\\\u${digits})`;
  });
  return new RegExp(forms.join(''), 'g');
}
