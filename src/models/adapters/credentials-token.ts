import { Agent, errors, request } from 'undici';
import { z } from 'zod';
import { TouchmarkError } from '../../errors.ts';
import { display, parseAddress } from './address.ts';
import { excerpt } from './excerpt.ts';
import { maskSecrets } from './secrets.ts';
import { readWith, type Surroundings } from './suspect-surroundings.ts';

/** A client of an OAuth 2 authorization server, with one of the two places for its secret. */
export interface OAuthClient {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecretEnvironment?: string;
  readonly clientSecretFile?: string;
  readonly scope?: string;
}

const grant = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]{1,8192}$/),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.coerce.number().positive().optional().catch(undefined),
});
const problem = z.object({ error: z.string(), error_description: z.string().optional() });

const largestReplyBytes = 65_536;
const limitMilliseconds = 30_000;
/** A token is given up this long before it ends, or a tenth of its life before, if that is less. */
const marginMilliseconds = 30_000;

/** Returns the secret in an environment variable. @throws CONFIG_INVALID when it is not set */
export function secretFrom(
  name: string,
  environment: Surroundings['environment'] = process.env,
): string {
  const secret = environment[name];
  if (secret !== undefined && secret !== '') return secret;
  throw new TouchmarkError('CONFIG_INVALID', `the environment variable ${name} is not set`, {
    hint: 'the suspect names it in touchmark.yaml: put the secret there',
  });
}

/**
 * Access tokens by the client credentials grant (RFC 6749 section 4.4), the client authenticated by
 * HTTP Basic (section 2.3.1). One token serves every request until shortly before it ends; one without
 * a stated end serves until it is forgotten.
 */
export class AccessTokens {
  readonly #client: OAuthClient;
  readonly #address: URL;
  readonly #surroundings: Surroundings;
  readonly #agent = new Agent({ connections: 1, maxResponseSize: largestReplyBytes });
  #fetched: Promise<{ readonly token: string; readonly until: number }> | undefined;
  #forgotten: string | undefined;

  /** @throws USAGE for an address that is no http address, or that would carry a secret in the clear */
  constructor(client: OAuthClient, surroundings: Surroundings) {
    this.#client = client;
    this.#address = parseAddress(client.tokenUrl);
    this.#surroundings = surroundings;
    const { protocol, hostname } = this.#address;
    if (protocol === 'https:' || /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(hostname)) return;
    throw new TouchmarkError(
      'USAGE',
      `the token address ${display(this.#address)} would carry the client secret in the clear`,
      { hint: 'write https://' },
    );
  }

  /**
   * Returns a token that is still good.
   *
   * @throws SUSPECT_REFUSED when the server grants none, SUSPECT_UNREACHABLE when it cannot be asked;
   * CONFIG_INVALID without the client secret. None of them shows it.
   */
  async current(signal: AbortSignal): Promise<string> {
    const known = this.#fetched;
    if (known !== undefined) {
      const { token, until } = await known;
      if (Date.now() < until && token !== this.#forgotten) return token;
      if (this.#fetched !== known) return this.current(signal);
    }
    this.#forgotten = undefined;
    const fetched = this.#fetch(signal);
    this.#fetched = fetched;
    try {
      return (await fetched).token;
    } catch (error) {
      if (this.#fetched === fetched) this.#fetched = undefined;
      throw error;
    }
  }

  /** Gives up a token that the suspect no longer takes. */
  forget(token: string): void {
    this.#forgotten = token;
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #fetch(signal: AbortSignal): Promise<{ token: string; until: number }> {
    const secret = await this.#secret();
    const asked = Date.now();
    const { status, text } = await this.#post(secret, signal);
    const document = parsed(maskSecrets(text, [secret, basicPair(this.#client.clientId, secret)]));
    const granted = grant.safeParse(document);
    if (status === 200 && granted.success) {
      const { access_token: token, expires_in: seconds } = granted.data;
      const life = seconds === undefined ? Number.POSITIVE_INFINITY : seconds * 1000;
      return { token, until: asked + life - Math.min(marginMilliseconds, life / 10) };
    }
    const said = problem.safeParse(document);
    const reason = said.success
      ? `: ${excerpt([said.data.error, said.data.error_description].filter(Boolean).join(', '))}`
      : '';
    const busy = status >= 500 || status === 429;
    throw new TouchmarkError(
      busy ? 'SUSPECT_UNREACHABLE' : 'SUSPECT_REFUSED',
      `the token server at ${display(this.#address)} granted no token (status ${status})${reason}`,
      { hint: busy ? 'run again to resume' : 'check the client, its secret and the scope' },
    );
  }

  async #post(
    secret: string,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const { clientId, scope } = this.#client;
    try {
      const response = await request(this.#address, {
        method: 'POST',
        dispatcher: this.#agent,
        signal: AbortSignal.any([signal, AbortSignal.timeout(limitMilliseconds)]),
        headers: {
          accept: 'application/json',
          authorization: `Basic ${basicPair(clientId, secret)}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          ...(scope !== undefined && { scope }),
        }).toString(),
      });
      return { status: response.statusCode, text: await response.body.text() };
    } catch (cause) {
      signal.throwIfAborted();
      const large = cause instanceof errors.ResponseExceededMaxSizeError;
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no answer';
      throw new TouchmarkError(
        large ? 'SUSPECT_ANSWER_INVALID' : 'SUSPECT_UNREACHABLE',
        `the token server at ${display(this.#address)} ${large ? 'answered with too much' : `cannot be reached: ${excerpt(code)}`}`,
        { hint: 'check tokenUrl, then run again to resume' },
      );
    }
  }

  async #secret(): Promise<string> {
    const { clientSecretEnvironment: name, clientSecretFile: path = '' } = this.#client;
    if (name !== undefined) return secretFrom(name, this.#surroundings.environment);
    const secret = Buffer.from(await readWith(this.#surroundings, path))
      .toString('utf8')
      .trim();
    if (secret !== '') return secret;
    throw new TouchmarkError('CONFIG_INVALID', `the client secret file ${path} is empty`, {
      hint: 'put the secret into it, on one line',
    });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function basicPair(clientId: string, secret: string): string {
  return Buffer.from(`${formEncoded(clientId)}:${formEncoded(secret)}`).toString('base64');
}

function formEncoded(text: string): string {
  return new URLSearchParams({ _: text }).toString().slice(2);
}
