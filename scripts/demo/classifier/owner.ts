import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { loadConfig } from '../../../src/config/load.ts';
import type { Progress } from '../../../src/contracts.ts';
import { openClassifier } from '../../../src/models/adapters/registry.ts';
import { openProjectLog } from '../../../src/operations/serving-log.ts';
import { classifierFronts } from '../../../src/serve/fronts/registry.ts';
import { createGateway } from '../../../src/serve/gateway.ts';
import { createMarking } from '../../../src/serve/marking.ts';
import { createPipeline } from '../../../src/serve/pipeline.ts';
import { sealProfile } from '../../../src/serve/profile-sealing.ts';
import { createAuthenticator } from '../../../src/serve/tenants/authenticator.ts';
import { generateApiKey, hashApiKey, TenantTable } from '../../../src/store/api-keys.ts';
import { createKeyRing } from '../../../src/store/key-ring.ts';
import { writeProfile } from '../../../src/store/profile-file.ts';
import { labels } from './languages.ts';

export const tenant = 'mallory';

export interface OwnerOptions {
  readonly directory: string;
  /** What the protected model is called, and its address. */
  readonly model: string;
  readonly upstream: string;
  readonly seed: string;
  readonly twinTexts: readonly string[];
  readonly freshTexts: readonly string[];
  /** Suspects that this owner will audit. */
  readonly suspects: number;
  /** Further settings of audits, and of other sections of the configuration. */
  readonly audit: Readonly<Record<string, unknown>>;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly progress: Progress;
}

/** An owner whose gateway is up. */
export interface Owner {
  readonly configPath: string;
  readonly address: string;
  readonly apiKey: string;
  close(): Promise<void>;
}

/** Sets up a project as `touchmark init` and `touchmark serve` would, and serves the model from it. */
export async function startOwner(options: OwnerOptions): Promise<Owner> {
  const { directory, upstream, seed, progress } = options;
  const rootVariable = `TOUCHMARK_DEMO_ROOT_${createHash('sha256').update(directory).digest('hex')}`;
  process.env[rootVariable] = createHash('sha256')
    .update(`demonstration root ${seed}`)
    .digest('base64');
  const apiKey = generateApiKey();
  await mkdir(join(directory, '.touchmark', 'keys'), { recursive: true });
  await mkdir(join(directory, 'inputs'), { recursive: true });
  await writeFile(join(directory, 'inputs', 'twin.txt'), options.twinTexts.join('\n'));
  await writeFile(join(directory, 'inputs', 'fresh.txt'), options.freshTexts.join('\n'));
  const configPath = join(directory, 'touchmark.yaml');
  await writeFile(
    configPath,
    stringify({
      schema: 'touchmark/config@1',
      model: { name: options.model, upstream, labels: [...labels] },
      tenants: [{ id: tenant, apiKeySha256: hashApiKey(apiKey) }],
      keys: { source: `env:${rootVariable}`, ring: '.touchmark/keys/ring.json' },
      audit: { suspects: options.suspects, ...options.audit },
      ...options.settings,
    }),
  );
  const { config } = await loadConfig(configPath);
  const keyRing = await createKeyRing({ source: config.keys.source, path: config.keys.ring! });
  keyRing.addEpoch(tenant, new Date().toISOString());
  await keyRing.save();

  const classifier = openClassifier(upstream, { labels });
  const profile = await sealProfile({
    classifier,
    labels,
    inputs: options.twinTexts,
    freshInputs: options.freshTexts,
    targets: config.watermark,
    signal: AbortSignal.timeout(120_000),
    progress,
  });
  await writeProfile(join(directory, '.touchmark', 'profile.json'), profile);
  const log = await openProjectLog(config, () => keyRing, keyRing.signingKey());
  const table = new TenantTable(
    config.tenants.map(({ id, apiKeySha256 }) => ({ tenant: id, apiKeySha256 })),
  );
  const answering = createPipeline({
    upstream: classifier,
    model: { name: config.model.name, version: '1', labels, input: 'text' },
    marking: createMarking({
      profile,
      modelVersion: '1',
      keys: keyRing,
      log,
      clock: () => new Date(),
    }),
  });
  const gateway = createGateway({
    service: answering,
    fronts: classifierFronts(answering),
    authenticator: createAuthenticator({ apiKeys: table }),
  });
  const address = await gateway.listen({ host: '127.0.0.1', port: 0 });
  return {
    configPath,
    address,
    apiKey,
    close: async () => {
      await gateway.close();
      await log.close();
      await classifier.close();
    },
  };
}
