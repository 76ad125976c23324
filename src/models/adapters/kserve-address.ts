import { TouchmarkError } from '../../errors.ts';
import { display } from './address.ts';

/**
 * Returns the address of a model's metadata, `.../v2/models/NAME`, from any form that names a model.
 *
 * @throws USAGE when none is named.
 */
export function modelAddress(url: URL): URL {
  const [, base, model, version = ''] =
    /^(.*)\/v2\/models\/([^/]+)(\/versions\/[^/]+)?(?:\/infer)?\/?$/.exec(url.pathname) ?? [];
  const named = url.searchParams.get('model');
  if (model !== undefined)
    return Object.assign(new URL(url), { pathname: `${base}/v2/models/${model}${version}` });
  if (named === null || named === '') {
    throw new TouchmarkError('USAGE', `the address ${display(url)} names no model`, {
      hint: 'write kserve:http://host:port/v2/models/NAME or kserve:http://host:port?model=NAME',
    });
  }
  const whole = below(url, `/v2/models/${encodeURIComponent(named)}`);
  whole.searchParams.delete('model');
  return whole;
}

/** Returns an address with a path behind its own. */
export function below(url: URL, path: string): URL {
  return Object.assign(new URL(url), { pathname: url.pathname.replace(/\/+$/, '') + path });
}

/** Returns an address with a path in the place of a model's. */
export function above(url: URL, path: string): URL {
  const base = url.pathname.slice(0, url.pathname.lastIndexOf('/v2/models/'));
  return Object.assign(new URL(url), { pathname: base + path });
}
