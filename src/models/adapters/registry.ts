import { TouchmarkError } from '../../errors.ts';
import { display, parseAddress } from './address.ts';
import { excerpt } from './excerpt.ts';
import { openHttpJson } from './http-json.ts';
import { openKserve } from './kserve.ts';
import type { RemoteClassifier, RemoteOptions } from './remote.ts';

type Factory = (address: string, options: RemoteOptions) => RemoteClassifier;

/** Every protocol by its prefix. A new one is one file and one line here. */
const adapters: ReadonlyMap<string, Factory> = new Map([
  ['kserve', openKserve],
  ['http', openHttpJson],
]);

/**
 * Returns the classifier that a specification `PROTOCOL:ADDRESS` denotes, such as
 * `kserve:http://127.0.0.1:8080/v2/models/NAME` or `http:https://host/classify`.
 *
 * Nothing is asked before `describe` or `classify`.
 *
 * @throws USAGE for an unknown protocol, naming the known ones, and as `openRemote` throws.
 */
export function openClassifier(specification: string, options: RemoteOptions): RemoteClassifier {
  const [, prefix = '', address = ''] = /^([a-z][a-z0-9-]*):(.*)$/s.exec(specification) ?? [];
  const open = adapters.get(prefix);
  const bare = /^https?:\/\//.test(specification);
  if (open !== undefined && !bare) return open(address, options);
  const known = [...adapters.keys()].join(', ');
  const what = bare ? 'names no protocol' : `names the unknown protocol "${excerpt(prefix, 40)}"`;
  throw new TouchmarkError('USAGE', `the suspect's address ${what}; known are ${known}`, {
    hint: 'write kserve:http://host:port/v2/models/NAME or http:http://host:port/path',
  });
}

/**
 * Returns a specification as plans and reports may show it: a query's values, which can be secrets,
 * are left out.
 *
 * @throws USAGE for an address that cannot be used
 */
export function displaySpecification(specification: string): string {
  const [, prefix = '', address = ''] = /^([a-z][a-z0-9-]*):(.*)$/s.exec(specification) ?? [];
  return `${prefix}:${display(parseAddress(address))}`;
}
