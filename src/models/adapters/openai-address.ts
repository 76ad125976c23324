import { TouchmarkError } from '../../errors.ts';
import { display, parseAddress } from './address.ts';

/** The two ways in which these servers are asked for text. */
export type OpenAiApi = 'chat' | 'completions';

/** Where a language model is, and which one of those there. */
export interface OpenAiAddress {
  /** The address under which the routes lie, such as `http://host:8000/v1`. */
  readonly base: URL;
  /** The address as it may be shown. */
  readonly shown: string;
  readonly api: OpenAiApi;
  /** Absent when the server is to be asked for its only one. */
  readonly model?: string;
}

const routes: Readonly<Record<OpenAiApi, string>> = {
  chat: '/chat/completions',
  completions: '/completions',
};

/**
 * Returns what an address such as `http://host:8000/v1?model=NAME` denotes; its path may go on to
 * `/chat/completions` or `/completions`, which decides the API. Options go before the address.
 *
 * @throws USAGE for anything but an http address.
 */
export function parseOpenAiAddress(
  text: string,
  options: { readonly model?: string; readonly api?: OpenAiApi },
): OpenAiAddress {
  const base = parseAddress(text);
  const shown = display(base);
  const model = options.model ?? base.searchParams.get('model') ?? undefined;
  if (model === '' || (model !== undefined && model.length > 512)) {
    throw new TouchmarkError('USAGE', `the address ${shown} names no model that can be asked for`, {
      hint: 'write ?model=NAME behind the address',
    });
  }
  base.searchParams.delete('model');
  const path = base.pathname.replace(/\/+$/, '');
  const named = (['chat', 'completions'] as const).find((api) => path.endsWith(routes[api]));
  base.pathname = named === undefined ? path : path.slice(0, -routes[named].length);
  const api = options.api ?? named ?? 'chat';
  return { base, shown, api, ...(model !== undefined && { model }) };
}

/** Returns the address of a route under a base; what stands in the base's query is kept. */
export function routeOf(base: URL, route: OpenAiApi | 'models'): URL {
  const address = new URL(base);
  const behind = route === 'models' ? '/models' : routes[route];
  address.pathname = `${base.pathname.replace(/\/+$/, '')}${behind}`;
  return address;
}
