import { type Authenticator, createAuthenticator } from '../serve/tenants/authenticator.ts';
import { openTokenCheck } from '../serve/tenants/tokens.ts';
import { TenantTable } from '../store/api-keys.ts';
import type { Project } from './project.ts';

/**
 * Opens what finds a project's tenants by API keys and, where the configuration says so, signed tokens.
 *
 * @param onFailure hears that an issuer's keys could not be had
 * @throws TouchmarkError CONFIG_INVALID for hashes or a key set that are unusable
 */
export async function openAuthenticator(
  { config, environment }: Project,
  onFailure: (error: unknown) => void,
): Promise<Authenticator> {
  const credentials = config.tenants.flatMap(({ id: tenant, apiKeySha256 }) =>
    apiKeySha256 === undefined ? [] : [{ tenant, apiKeySha256 }],
  );
  const apiKeys = new TenantTable(credentials);
  const { jwt } = config.serve;
  if (jwt === undefined) return createAuthenticator({ apiKeys });
  const configured = new Set(config.tenants.map(({ id }) => id));
  const tokens = await openTokenCheck({
    jwt,
    tenants: configured,
    environment,
    clock: Date.now,
    onFailure,
  });
  return createAuthenticator({ apiKeys, tokens });
}
