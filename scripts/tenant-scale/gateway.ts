/** The part of `main.ts` that is measured, in a process of its own. */
import '../../src/serve/gateway.ts';
import { openEpochKeys } from '../../src/operations/keys-open.ts';
import { openProject } from '../../src/operations/project.ts';
import { TenantTable } from '../../src/store/api-keys.ts';

const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
const begin = performance.now();
let before = begin;
function step(what: string): void {
  const now = performance.now();
  const { rss, heapUsed } = process.memoryUsage();
  process.stdout.write(
    `  ${what.padEnd(30)} ${Math.round(now - before)} ms, resident ${megabytes(rss)}, heap ${megabytes(heapUsed)}\n`,
  );
  before = now;
}

step('process and modules');
const project = await openProject({ configPath: process.argv[2]!, environment: {} });
step('configuration and tenants');
const { keys } = await openEpochKeys(project);
step('epochs');
const table = new TenantTable(
  project.config.tenants.map(({ id, apiKeySha256 }) => ({ tenant: id, apiKeySha256 })),
);
step('API keys');
for (const { id } of project.config.tenants) {
  const tenant = table.find(`key of ${id}`);
  if (tenant !== id) throw new Error(`${id} is not found by its key`);
  keys.epochKey(tenant, keys.currentEpoch(tenant).epoch);
}
step('a question of each tenant');
const again = await openProject({ configPath: process.argv[2]!, environment: {} });
const reopened = await openEpochKeys(again);
if (reopened.keys.tenants().length !== keys.tenants().length)
  throw new Error('tenants are missing');
step('all read again, beside');
const peak = process.resourceUsage().maxRSS * 1024;
process.stdout.write(
  `  in all ${Math.round(performance.now() - begin)} ms, peak ${megabytes(peak)}\n`,
);
