/**
 * Rotates and audits the project named first without end, once it hears a word, and tells what it showed to suspects; or
 * rotates once; or goes on until something fails.
 */
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { claimTraps } from '../../../src/operations/traps/claims.ts';
import { rotateTraps } from '../../../src/operations/traps/rotate.ts';
import type { TrapTarget } from '../../../src/traps/stock.ts';
import { fakeSources } from './fake-sources.ts';
import { keyRingOf, noon, projectIn } from './scene.ts';

// Past a limit on file sizes a write shall fail, as on a full disk, and not end the process.
process.on('SIGXFSZ', () => undefined);

const [directory = '', log = '', name = '', task = ''] = process.argv.slice(2);
const project = projectIn(directory, {}, log);
const keyRing = keyRingOf();
const targets: TrapTarget[] = [
  { kind: 'coin', tenant: 'acme', epoch: 'e1' },
  { kind: 'region', tenant: null, epoch: null },
];
let audits = 0;

/** With a trusted clock every call rotates, also in a period that is complete. */
async function rotate(trustClock: boolean): Promise<void> {
  const quiet = { signal: new AbortController().signal, progress: () => undefined };
  const options = { project, keyRing, sources: fakeSources, now: noon, trustClock, ...quiet };
  const { report } = await rotateTraps(options);
  writeSync(1, `${report.status} ${report.built}\n`);
}

async function claim(): Promise<void> {
  audits += 1;
  const audit = `${name} ${audits}`;
  const whom = { suspect: `suspect of ${audit}`, operator: null, audit, now: noon };
  const { lots } = await claimTraps({ project, keyRing, targets, lotsPerAudit: 1, ...whom });
  writeSync(1, lots.map(({ sealed, lot }) => `shown ${sealed.seal.id}/${lot}\n`).join(''));
}

async function attempt(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    writeSync(1, `failed ${error instanceof Error && 'code' in error ? error.code : error}\n`);
    return false;
  }
}

writeSync(1, 'open\n');
if (task === 'rotate') await attempt(rotate(false));
else if (task === 'until-failure')
  while ((await attempt(rotate(true))) && (await attempt(claim())));
else {
  await once(process.stdin, 'data');
  for (;;) {
    await attempt(rotate(true));
    await attempt(claim());
    await attempt(claim());
  }
}
