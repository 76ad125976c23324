import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { encodeRing } from '../../src/store/key-ring-file.ts';
import { sealRoot } from '../../src/store/root-section.ts';
import { createScene, ngramModel, type Scene } from '../../test/operations/audit-scene.ts';
import { faultsIn } from './findings.ts';
import { type HostileSuspect, startHostileSuspect } from './suspect.ts';

/** Spelt in several ways in JSON, base64 and addresses. */
export const bearer = 'sentinel/bearer+0123456789abcdef==';
/** Of the key ring. */
export const passphrase = 'sentinel of the root, in words';

/** A project whose secrets are known, and a suspect that can turn hostile. */
export interface Stage {
  readonly scene: Scene;
  readonly suspect: HostileSuspect;
  /** A file that appears when something of a suspect was executed. */
  readonly canary: string;
  readonly secrets: readonly string[];
  close(): void;
}

/** How the command line ended. */
export interface Ended {
  readonly exit: number | null;
  /** The verdict, or the error. */
  readonly said: string;
  readonly seconds: number;
  /** Largest resident set of the process. */
  readonly peakMebibytes: number;
  /** Empty when it left nothing that it should not have. */
  readonly faults: readonly string[];
}

/** In MiB. */
const memoryLimit = 500;
const endlessMilliseconds = 300_000;
const root = join(import.meta.dirname, '../..');
const built = [join(root, 'dist/cli/main.js')];
const source = [
  ...['--import', createRequire(import.meta.url).resolve('tsx')],
  join(root, 'src/cli/main.ts'),
];

/** Makes a project whose key ring is under the passphrase, and starts its suspect, an independent. */
export async function openStage(asked: number, audit: object): Promise<Stage> {
  const scene = await createScene(asked, { audit });
  const suspect = await startHostileSuspect(ngramModel(0.4));
  const ringPath = join(scene.directory, '.touchmark/keys/ring.json');
  const { root: section, epochs } = JSON.parse(readFileSync(ringPath, 'utf8'));
  const rootKey = Buffer.from(section.secret, 'base64');
  writeFileSync(
    ringPath,
    encodeRing(rootKey, { root: await sealRoot(rootKey, passphrase), epochs }),
  );
  return {
    scene,
    suspect,
    canary: join(scene.directory, 'canary'),
    secrets: [...scene.secrets, bearer, passphrase],
    close() {
      suspect.close();
      scene.close();
    },
  };
}

/**
 * Runs `audit` in a process of its own, and looks at what it leaves.
 *
 * @param name of the run directory
 * @param options.isBuilt runs what `npm run build` has made, as users do, in the place of the source
 */
export async function runCommand(
  { scene, suspect, canary, secrets }: Stage,
  { address, name, isBuilt }: { address: string; name: string; isBuilt: boolean },
  ...more: readonly string[]
): Promise<Ended> {
  const out = scene.out(name);
  const words = ['audit', '--config', scene.configPath, '--suspect', address, '--out', out];
  const flags = ['--tenant', 'example', '--suspect-bearer-env', 'SUSPECT_BEARER', ...more];
  const begun = performance.now();
  const child = spawn(process.execPath, [...(isBuilt ? built : source), ...words, ...flags], {
    cwd: scene.directory,
    env: { PATH: process.env['PATH'], SUSPECT_BEARER: bearer, TOUCHMARK_PASSPHRASE: passphrase },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let peakMebibytes = 0;
  const watch = setInterval(() => {
    peakMebibytes = Math.max(peakMebibytes, peakOf(child.pid!));
  }, 20);
  const endless = setTimeout(() => child.kill('SIGKILL'), endlessMilliseconds);
  const [stdout, stderr, [exit]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  clearInterval(watch);
  clearTimeout(endless);
  const found = faultsIn({
    ...{ out, secrets, canary, streams: [stdout, stderr], trapped: suspect.trapped },
  });
  const failed = /^touchmark: (.*)$/m.exec(stderr)?.[1] ?? '';
  return {
    exit,
    said: exit === 0 ? stdout.split(' ', 1)[0]!.trim() : failed.replace(/at http\S+ /, ''),
    seconds: (performance.now() - begun) / 1000,
    peakMebibytes,
    faults: [
      ...found,
      ...(exit === null ? ['did not end'] : []),
      ...(peakMebibytes >= memoryLimit ? [`${Math.round(peakMebibytes)} MiB`] : []),
    ],
  };
}

/** The largest resident set that a process has had, in MiB, as Linux tells it. */
function peakOf(pid: number): number {
  try {
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
    return Number(kibibytes) / 1024;
  } catch {
    return 0;
  }
}
