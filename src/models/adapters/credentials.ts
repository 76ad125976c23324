import { TouchmarkError } from '../../errors.ts';
import { AccessTokens, type OAuthClient, secretFrom } from './credentials-token.ts';
import { HttpFailure } from './failures.ts';
import { readWith, type Surroundings } from './suspect-surroundings.ts';
import { Transport, type TransportCounts, type TransportOptions } from './transport.ts';

/** How a suspect behind HTTP lets us in. Secrets stand in the environment or in files. */
export interface AccessForm {
  /** The environment variable that holds a bearer token. */
  readonly bearerEnvironment?: string;
  /** Sent with every request; a secret one is `{ environment: NAME }`. */
  readonly headers?: Readonly<Record<string, string | { readonly environment: string }>>;
  readonly oauth?: OAuthClient;
  readonly mtls?: MutualTls;
}

/** Paths of PEM files. */
export interface MutualTls {
  readonly certificate: string;
  readonly key: string;
  /** Whom to believe instead of the authorities that Node.js knows. */
  readonly authority?: string;
}

/** What stands in requests for us to be let in; part of `RemoteOptions`. */
export interface Credentials {
  readonly headers?: Readonly<Record<string, string>>;
  readonly oauth?: OAuthClient;
  readonly mtls?: MutualTls;
}

/** JSON over HTTP, whoever lets us in. */
export interface JsonTransport extends Pick<Transport, 'get' | 'post' | 'close'> {
  readonly counts: TransportCounts;
}

/**
 * Returns the transport for what a suspect asks of its callers: with `oauth` each request carries a
 * token that is fetched when needed, and once more when the suspect answers 401.
 *
 * @throws USAGE for a bearer token or a header that cannot be sent.
 */
export function openTransport(
  options: TransportOptions & Credentials & Surroundings,
): JsonTransport {
  const { oauth, mtls } = options;
  return oauth === undefined && mtls === undefined
    ? new Transport(options)
    : new CredentialTransport(options);
}

/** Returns what a form's access means, with secrets looked up. @throws CONFIG_INVALID for one unset */
export function accessOf(
  { bearerEnvironment, headers = {}, oauth, mtls }: AccessForm,
  { environment }: Surroundings,
): Credentials & { readonly bearer?: string } {
  const sent = Object.entries(headers).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : secretFrom(value.environment, environment),
  ]);
  return {
    ...(bearerEnvironment !== undefined && { bearer: secretFrom(bearerEnvironment, environment) }),
    ...(sent.length > 0 && { headers: Object.fromEntries(sent) }),
    ...(oauth && { oauth }),
    ...(mtls && { mtls }),
  };
}

/** A transport that is opened once certificates are read, and anew for each access token. */
class CredentialTransport implements JsonTransport {
  readonly #options: TransportOptions & Credentials & Surroundings;
  readonly #tokens: AccessTokens | undefined;
  readonly #opened = new Map<string | undefined, Promise<Transport>>();
  readonly #transports: Transport[] = [];

  constructor(options: TransportOptions & Credentials & Surroundings) {
    this.#options = options;
    this.#tokens = options.oauth && new AccessTokens(options.oauth, options);
  }

  get counts(): TransportCounts {
    const counts = this.#transports.map((transport) => transport.counts);
    return {
      requests: counts.reduce((sum, { requests }) => sum + requests, 0),
      retries: counts.reduce((sum, { retries }) => sum + retries, 0),
    };
  }

  get(address: URL, signal: AbortSignal): Promise<unknown> {
    return this.#admitted(signal, (transport) => transport.get(address, signal));
  }

  post(address: URL, document: unknown, signal: AbortSignal): Promise<unknown> {
    return this.#admitted(signal, (transport) => transport.post(address, document, signal));
  }

  async close(): Promise<void> {
    await this.#tokens?.close();
    await Promise.all(this.#transports.map((transport) => transport.close()));
  }

  async #admitted(
    signal: AbortSignal,
    exchange: (transport: Transport) => Promise<unknown>,
  ): Promise<unknown> {
    const token = await this.#tokens?.current(signal);
    try {
      return await exchange(await this.#transport(token));
    } catch (error) {
      if (this.#tokens === undefined || token === undefined || !unauthorised(error)) throw error;
      this.#tokens.forget(token);
      return exchange(await this.#transport(await this.#tokens.current(signal)));
    }
  }

  async #transport(token: string | undefined): Promise<Transport> {
    const opened = this.#opened.get(token) ?? this.#open(token);
    this.#opened.set(token, opened);
    try {
      return await opened;
    } catch (error) {
      this.#opened.delete(token);
      throw error;
    }
  }

  async #open(token: string | undefined): Promise<Transport> {
    const { mtls } = this.#options;
    const tls = mtls && (await this.#read(mtls));
    const transport = new Transport({
      ...this.#options,
      ...(token !== undefined && { bearer: token }),
      ...(tls && { tls }),
    });
    this.#transports.push(transport);
    return transport;
  }

  async #read({ certificate, key, authority }: MutualTls) {
    const read = async (path: string) => Buffer.from(await readWith(this.#options, path));
    return {
      cert: await read(certificate),
      key: await read(key),
      ...(authority !== undefined && { ca: await read(authority) }),
    };
  }
}

function unauthorised(error: unknown): boolean {
  const cause = TouchmarkError.isInstance(error) ? error.cause : undefined;
  return cause instanceof HttpFailure && cause.status === 401;
}
