import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Progress } from '../../src/contracts.ts';
import { generateKeys } from '../../src/operations/keys-many.ts';
import { seededRandom } from '../../src/stats/sampling.ts';

/** A project whose gateway stands before the model server of the trials. */
export interface TrialProject {
  readonly directory: string;
  readonly configPath: string;
  readonly logDirectory: string;
  /** API keys by tenant. */
  readonly apiKeys: ReadonlyMap<string, string>;
  remove(): void;
}

export interface TrialSettings {
  readonly modelPort: number;
  readonly tenants?: number;
  /** Members of `serve` in YAML's flow style, such as `answerSeconds: 1`. */
  readonly serve?: string;
  readonly log?: string;
  readonly progress?: Progress;
}

/** Makes the project, with keys as `keys generate --tenants` makes them: some 60 ms a tenant. */
export async function makeProject(settings: TrialSettings): Promise<TrialProject> {
  const { tenants = 20, progress = () => undefined } = settings;
  const directory = mkdtempSync(join(tmpdir(), 'gateway-trials-'));
  const configPath = join(directory, 'touchmark.yaml');
  mkdirSync(join(directory, 'inputs'));
  writeFileSync(join(directory, 'inputs', 'twin.txt'), twinQuestions().join('\n'));
  writeFileSync(join(directory, 'inputs', 'fresh.txt'), '');
  writeFileSync(join(directory, 'tenants.jsonl'), '');
  writeConfig(configPath, settings);
  const out = join(directory, 'api-keys.jsonl');
  await generateKeys({
    configPath,
    environment: {},
    names: Array.from({ length: tenants }, (_, index) => `tenant-${index}`),
    out,
    signal: new AbortController().signal,
    progress,
  });
  const lines = readFileSync(out, 'utf8').trim().split('\n');
  const apiKeys = new Map(
    lines.map((line) => {
      const { id, apiKey } = JSON.parse(line) as { id: string; apiKey: string };
      return [id, apiKey] as const;
    }),
  );
  return {
    directory,
    configPath,
    apiKeys,
    logDirectory: join(directory, '.touchmark', 'log'),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Writes the configuration anew, as an operator may while the gateway runs. */
export function writeConfig(configPath: string, { modelPort, serve, log }: TrialSettings): void {
  writeFileSync(
    configPath,
    `schema: touchmark/config@1
model: { name: letters, upstream: "kserve:http://127.0.0.1:${modelPort}/v2/models/letters" }
tenantsFile: tenants.jsonl
serve: { port: 0, adminPort: 0${serve === undefined ? '' : `, ${serve}`} }
log: { ${log ?? 'fsyncMilliseconds: 100'} }
`,
  );
}

function twinQuestions(): string[] {
  const random = seededRandom('gateway-trials');
  return Array.from({ length: 200 }, () =>
    Array.from({ length: 12 }, () => 'abcdefgh '[random.integer(9)]).join(''),
  );
}
