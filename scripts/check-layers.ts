/** Checks that every import in src/ points to a lower floor of the house, and that pure rooms stay pure. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

const floors: Readonly<Record<string, number>> = {
  'contracts.ts': 0,
  'errors.ts': 0,
  'json.ts': 0,
  stats: 1,
  keys: 1,
  watermark: 2,
  traps: 2,
  fingerprints: 2,
  monitor: 2,
  models: 3,
  ledger: 3,
  store: 3,
  config: 3,
  audit: 4,
  dossier: 5,
  serve: 5,
  redteam: 5,
  report: 6,
  operations: 7,
  cli: 8,
  'index.ts': 9,
};

/** Built-in modules that a pure room may use: computation only, no network, clock or files. */
const pureBuiltins = new Set(['node:crypto', 'node:buffer']);
const networkRooms = [join('models', 'adapters'), 'serve'];
const fileRooms = ['ledger', 'store', 'config'];
const networkModules = /^(node:(http|https|http2|net|tls|dgram)|undici|fastify)$/;
const fileModules = /^(node:fs(\/promises)?|write-file-atomic|proper-lockfile)$/;
const clockOrChance =
  /\b(Date\.now|new Date\(\)|performance\.now|Math\.random|setTimeout|setInterval)\b/;

const source = join(import.meta.dirname, '..', 'src');
const problems: string[] = [];

for (const path of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
  if (!path.endsWith('.ts')) continue;
  const text = readFileSync(join(source, path), 'utf8');
  const room = roomOf(path);
  const floor = floors[room];
  if (floor === undefined) {
    problems.push(`${path}: the room "${room}" is not in the plan of the house`);
    continue;
  }
  const pure = floor <= 2 || path.startsWith(join('dossier', 'verify'));
  for (const target of importsOf(text)) {
    if (target.startsWith('.')) checkInternal(path, room, floor, target);
    else checkExternal(path, target, pure);
  }
  if (pure && clockOrChance.test(text))
    problems.push(`${path}: a pure room has no clock and no chance`);
}

if (problems.length > 0) {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exitCode = 1;
} else {
  process.stderr.write('layers: every import points downward\n');
}

function roomOf(path: string): string {
  return path.split('/')[0] ?? path;
}

function importsOf(text: string): string[] {
  const pattern = /(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g;
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '');
}

function checkInternal(path: string, room: string, floor: number, target: string): void {
  const resolved = normalize(join(dirname(path), target));
  if (relative('.', resolved).startsWith('..')) {
    problems.push(`${path}: imports ${target} from outside src`);
    return;
  }
  const targetRoom = roomOf(resolved);
  const targetFloor = floors[targetRoom];
  if (targetRoom === room) return;
  if (targetFloor === undefined || targetFloor >= floor) {
    problems.push(`${path} (floor ${floor}) imports ${resolved} (floor ${targetFloor ?? '?'})`);
  }
}

function checkExternal(path: string, target: string, pure: boolean): void {
  if (pure && target.startsWith('node:') && !pureBuiltins.has(target)) {
    problems.push(`${path}: a pure room imports ${target}`);
  }
  const inside = (rooms: readonly string[]) => rooms.some((room) => path.startsWith(`${room}/`));
  if (networkModules.test(target) && !inside(networkRooms)) {
    problems.push(`${path}: ${target} belongs in ${networkRooms.join(' or ')}`);
  }
  if (fileModules.test(target) && !inside(fileRooms)) {
    problems.push(`${path}: ${target} belongs in ${fileRooms.join(', ')}`);
  }
}
