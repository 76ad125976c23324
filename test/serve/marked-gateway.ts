import { onTestFinished } from 'vitest';
import type { ServedRecord } from '../../src/contracts.ts';
import { openServingLog } from '../../src/ledger/serving-log.ts';
import type { ServedModel } from '../../src/serve/answering.ts';
import type { Front } from '../../src/serve/front.ts';
import { createGateway, type GatewayOptions } from '../../src/serve/gateway.ts';
import { createMarking, type Marking, type MarkingOptions } from '../../src/serve/marking.ts';
import type { EpochKeys } from '../../src/serve/marking-ground.ts';
import { UpstreamConnection } from '../../src/serve/proxy/upstream-connection.ts';
import { createAuthenticator } from '../../src/serve/tenants/authenticator.ts';
import { hashApiKey, TenantTable } from '../../src/store/api-keys.ts';
import { ClassifierMarker } from '../../src/watermark/classifier-marker.ts';
import { temporaryDirectory } from '../store/directory.ts';
import { keyOf, textProfile } from '../watermark/fixtures.ts';

export const tokens = { acme: 'token-of-acme', bolt: 'token-of-bolt' } as const;
type Tenant = keyof typeof tokens;

export const lettersProfile = textProfile();
export const lettersModel: ServedModel = {
  name: 'letters',
  version: '7',
  labels: lettersProfile.labels,
  input: 'text',
};

/** Knows tenants by their tokens. */
export function authenticatorOf(given: Readonly<Record<string, string>>) {
  const credentials = Object.entries(given).map(([tenant, token]) => ({
    tenant,
    apiKeySha256: hashApiKey(token),
  }));
  return createAuthenticator({ apiKeys: new TenantTable(credentials) });
}

/** What a proxy is made of. */
export interface ProxyParts {
  readonly upstream: UpstreamConnection;
  readonly model: ServedModel;
  readonly marking: Marking;
}

/** Keys as a bundle gives them; making those of a ring takes longer than the rest of a test. */
const keys: EpochKeys = {
  currentEpoch: (tenant) => ({ epoch: 'e1', commitment: keyOf(`of ${tenant}`).toString('hex') }),
  epochKey: (tenant) => keyOf(tenant),
};

/** A gateway before a server on this machine, over a real log. */
export async function startMarkedGateway(
  url: URL,
  frontOf: (parts: ProxyParts) => Front,
  settings: {
    readonly marking?: Partial<MarkingOptions>;
    readonly gateway?: Partial<GatewayOptions>;
    readonly timeoutMilliseconds?: number;
    readonly answerLimitBytes?: number;
  } = {},
) {
  const directory = temporaryDirectory();
  const log = await openServingLog(`${directory}/log`);
  const upstream = new UpstreamConnection(url, {
    bearer: 'secret-of-the-owner',
    timeoutMilliseconds: settings.timeoutMilliseconds ?? 5_000,
    ...(settings.answerLimitBytes !== undefined && {
      answerLimitBytes: settings.answerLimitBytes,
    }),
  });
  const marking = createMarking({
    profile: lettersProfile,
    modelVersion: '7',
    keys,
    log,
    clock: () => new Date(),
    ...settings.marking,
  });
  const failures: unknown[] = [];
  const front = frontOf({ upstream, model: lettersModel, marking });
  const gateway = createGateway({
    service: { ready: async () => true },
    fronts: [front],
    authenticator: authenticatorOf(tokens),
    onFailure: (error) => failures.push(error),
    ...settings.gateway,
  });
  const address = await gateway.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    await gateway.close();
    await upstream.close();
    await log.close();
  });
  const post = async (path: string, body: unknown, tenant: Tenant = 'acme') => {
    const response = await fetch(address + path, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${tokens[tenant]}`,
        'x-internal': 'a header of the client',
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: JSON.parse(text), headers: response.headers };
  };
  const records = async (tenant: Tenant = 'acme') => {
    const found: ServedRecord[] = [];
    for await (const record of log.read({ tenant })) found.push(record);
    return found;
  };
  const markerOf = (tenant: Tenant) => new ClassifierMarker(keyOf(tenant), lettersProfile);
  return { address, gateway, front, log, failures, post, records, markerOf };
}
