import writeFileAtomic from 'write-file-atomic';
import { isSeq } from 'yaml';
import { TouchmarkError } from '../errors.ts';
import { parseConfigText, readConfigText } from './load.ts';

/**
 * Adds a tenant at the end of a configuration file's list; comments and order stay as they are.
 *
 * @throws TouchmarkError CONFIG_INVALID when the file is no valid YAML; STORE_DAMAGED when it cannot
 *   be written, and it is then as before
 */
export async function addTenantToFile(
  path: string,
  tenant: { readonly id: string; readonly apiKeySha256: string },
): Promise<void> {
  const { document } = parseConfigText(path, await readConfigText(path));
  const tenants = document.get('tenants');
  if (isSeq(tenants)) {
    tenants.flow = false;
    tenants.add(document.createNode(tenant));
  } else {
    document.set('tenants', document.createNode([tenant]));
  }
  try {
    await writeFileAtomic(path, document.toString({ lineWidth: 0, flowCollectionPadding: true }));
  } catch (cause) {
    throw new TouchmarkError('STORE_DAMAGED', `Could not write ${path}.`, {
      hint: `Add the tenant by hand, under tenants: { id: ${tenant.id}, apiKeySha256: ${tenant.apiKeySha256} }`,
      cause,
    });
  }
}
