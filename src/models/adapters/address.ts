import { TouchmarkError } from '../../errors.ts';
import { excerpt } from './excerpt.ts';

/**
 * Returns the absolute http or https address that a text denotes.
 *
 * @throws USAGE for anything else, and for an address that carries a user name or password: what
 * stands in an address ends up in process lists, logs and reports.
 */
export function parseAddress(text: string): URL {
  const address = URL.canParse(text) ? new URL(text) : undefined;
  if (address === undefined || !/^https?:$/.test(address.protocol)) {
    throw new TouchmarkError('USAGE', `"${excerpt(withoutSecrets(text))}" is no http address`, {
      hint: 'write http://host:port/path or https://host/path',
    });
  }
  if (address.username !== '' || address.password !== '') {
    throw new TouchmarkError(
      'USAGE',
      `the address ${display(address)} carries a user name or password`,
      {
        hint: 'remove them from the address and give a bearer token by environment variable or file',
      },
    );
  }
  address.hash = '';
  return address;
}

/** Returns an address as it may be shown: without credentials and without the query's values. */
export function display(address: URL): string {
  const query = address.search === '' ? '' : '?…';
  return excerpt(`${address.origin}${address.pathname}${query}`, 200);
}

function withoutSecrets(text: string): string {
  return text.replace(/\/\/[^/@]*@/, '//…@').replace(/\?.*$/s, '?…');
}
