import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { configSchema } from '../../../src/config/schema.ts';
import { openServingLog } from '../../../src/ledger/serving-log.ts';
import type { Project } from '../../../src/operations/project.ts';
import { KeyRing } from '../../../src/store/key-ring.ts';
import type { TrapSet } from '../../../src/traps/trap-set.ts';
import { recordsOf } from '../../ledger/records-data.ts';

/** A moment in the middle of a day, so that an hour either way stays in the same period. */
export const noon = new Date('2026-03-10T12:00:00.000Z');

/** Returns the moment `days` after `noon`. */
export function daysLater(days: number): Date {
  return new Date(noon.getTime() + days * 86_400_000);
}

/** A project as its file would describe it, with small lots and stocks. */
export function projectIn(
  directory: string,
  traps: Partial<Project['config']['traps']> = {},
  log = join(directory, '.touchmark', 'log'),
) {
  mkdirSync(join(directory, 'traps'), { recursive: true });
  mkdirSync(join(directory, '.touchmark'), { recursive: true });
  const config = configSchema.parse({
    schema: 'touchmark/config@1',
    model: { name: 'tiny', upstream: 'http:http://127.0.0.1:9/classify' },
    tenants: [{ id: 'acme', apiKeySha256: '0'.repeat(64) }],
    log: { directory: log },
    traps: { coinLots: 4, coinStock: 8, regionStock: 6, ...traps },
  });
  const project: Project = {
    path: join(directory, 'touchmark.yaml'),
    directory,
    config,
    overrides: [],
    environment: {},
    profilePath: join(directory, '.touchmark', 'profile.json'),
    textProfilePath: join(directory, '.touchmark', 'text-profile.json'),
  };
  return project;
}

/** A key ring in memory with one tenant, the same for the same name. */
export function keyRingOf(name = 'owner'): KeyRing {
  const root = createHash('sha256').update(name).digest();
  const ring = new KeyRing('/nowhere/ring.json', root, { kind: 'external' }, [], '');
  ring.addEpoch('acme', '2026-01-01T00:00:00.000Z');
  return ring;
}

/** A serving log with three records of acme's e1. */
export async function servedLog(directory: string): Promise<string> {
  const log = await openServingLog(directory);
  await log.append(recordsOf(3));
  await log.close();
  return directory;
}

const common = {
  createdAt: noon.toISOString(),
  expected: { bansPerLot: 1.5, surrogates: 2, measuredOn: 'two tiny students' },
  stealth: { areaUnderCurve: 0.5, classifier: 'none', traps: 4, traffic: 4 },
} as const;

/** Region traps with random salts: so many in each lot. */
export function regionSet(lots: readonly number[], question = () => randomText()): TrapSet {
  return {
    kind: 'region',
    protectedModel: { name: 'tiny', version: '1' },
    labels: ['a', 'b'],
    references: { select: [], calibrate: [], test: [] },
    ...common,
    source: 'pool',
    lots: lots.map((size) => ({
      traps: Array.from({ length: size }, () => ({
        input: question(),
        label: 'a',
        weight: 1,
        salt: randomBytes(16).toString('hex'),
      })),
      calibration: { same: [], other: [] },
    })),
  };
}

/** Coin traps of acme's e1 on consecutive records from `from` on, dealt in turn. */
export function coinSet(from: number, count: number, lots: number, epoch = 'e1'): TrapSet {
  const traps = Array.from({ length: count }, (_, place) => ({
    sequence: from + place,
    salt: randomBytes(16).toString('hex'),
  }));
  return {
    kind: 'coin',
    tenant: 'acme',
    epoch,
    epochCommitment: `sha256:${'0'.repeat(64)}`,
    from,
    through: from + count - 1,
    log: { entries: from + count, head: '0'.repeat(64) },
    ...common,
    source: 'log',
    lots: Array.from({ length: lots }, (_, lot) => ({
      traps: traps.filter((_, place) => place % lots === lot),
    })),
  };
}

function randomText(): string {
  return randomBytes(6).toString('base64url');
}

/** The names in a directory; none when there is no such directory. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
