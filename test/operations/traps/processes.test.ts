import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { readTrapLedger } from '../../../src/ledger/trap-ledger.ts';
import { rotateTraps } from '../../../src/operations/traps/rotate.ts';
import { openStockedSet, readTrapStock, trapFolders } from '../../../src/operations/traps/stock.ts';
import { activeTraps } from '../../../src/traps/stock.ts';
import { quickParent, temporaryDirectory } from '../../ledger/records.ts';
import { fakeSources } from './fake-sources.ts';
import { daysLater, keyRingOf, namesIn, projectIn, servedLog } from './scene.ts';

const loader = createRequire(import.meta.url).resolve('tsx');
const program = join(import.meta.dirname, 'stock-child.ts');
const keyRing = keyRingOf();

async function scene() {
  const parent = temporaryDirectory(quickParent);
  const log = await servedLog(join(parent, 'log'));
  const project = projectIn(join(parent, 'project'), {}, log);
  /** Starts the program, optionally under a limit on file sizes in blocks of 512 bytes. */
  const start = (name: string, task: string, fileBlocks = 'unlimited') => {
    const script = `ulimit -f ${fileBlocks}; exec "$0" --import "$1" "$2" "$3" "$4" "$5" "$6"`;
    const words = [process.execPath, loader, program, project.directory, log, name, task];
    const child = spawn('sh', ['-c', script, ...words], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, TSX_DISABLE_CACHE: '1' },
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const lines = () =>
      output
        .slice(0, output.lastIndexOf('\n') + 1)
        .split('\n')
        .slice(0, -1);
    return { child, lines };
  };
  /** Rotates here, a day later, and checks that everything is as it should be. */
  const restore = async (day: number) => {
    const now = daysLater(day);
    const quiet = { signal: new AbortController().signal, progress: () => undefined };
    const options = { project, keyRing, sources: fakeSources, now, ...quiet };
    const { report } = await rotateTraps(options);
    expect(report).toMatchObject({ status: 'rotated', problems: [] });
    const folders = trapFolders(project);
    const stock = await readTrapStock(project);
    for (const target of report.stock) expect(activeTraps(stock, target)).toBeGreaterThan(5);
    expect(stock).toMatchObject({ orphanClaims: [], unnotedClaims: [] });
    expect(namesIn(folders.sealed)).toHaveLength(stock.sets.length);
    for (const { sealed } of stock.sets) await openStockedSet(folders, keyRing, sealed);
    return stock;
  };
  return { project, folders: trapFolders(project), start, restore };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
}

function shownIn(lines: readonly string[]): string[] {
  return lines.flatMap((line) => (line.startsWith('shown ') ? [line.slice('shown '.length)] : []));
}

describe('processes that share a stock', () => {
  it('15 times killed at any moment, alone or in pairs: nothing is shown twice, nothing lost', async () => {
    const { folders, start, restore } = await scene();
    const shown = new Set<string>();
    let [events, claims]: [readonly unknown[], readonly string[]] = [[], []];
    const crews = Array.from({ length: 15 }, (_, round) =>
      (round % 5 === 0 ? ['left', 'right'] : ['alone']).map((name) => `${name} ${round}`),
    );
    const ready: ReturnType<typeof start>[][] = [];
    for (let round = 0; round < crews.length; round += 1) {
      // Starting takes longest, so that some wait for their turn already.
      for (const crew of crews.slice(ready.length, round + 4)) {
        ready.push(crew.map((name) => start(name, 'all')));
      }
      const children = ready[round] ?? [];
      const isUnderWay = () => children.every(({ lines }) => lines().includes('open'));
      await vi.waitUntil(isUnderWay, { timeout: 30_000, interval: 5 });
      for (const { child } of children) child.stdin.write('go');
      const deeds = 1 + Math.random() * 12;
      const areDone = () => children.some(({ lines }) => lines().length > deeds);
      await vi.waitUntil(areDone, { timeout: 30_000, interval: 2 });
      await setTimeout(Math.random() * 20);
      for (const { child } of children) child.kill('SIGKILL');
      await Promise.all(children.map(({ child }) => ended(child)));
      for (const name of children.flatMap(({ lines }) => shownIn(lines()))) {
        expect(shown.has(name), `${name} was shown before`).toBe(false);
        shown.add(name);
      }
      const now = (await readTrapLedger(folders.ledger)).events;
      expect(now.slice(0, events.length)).toEqual(events);
      events = now;
      const held = namesIn(folders.exposures);
      expect(held).toEqual(expect.arrayContaining([...claims]));
      claims = held;
    }
    expect(shown.size).toBeGreaterThan(10);
    const { sets } = await restore(1);
    const states = new Map(
      sets.flatMap(({ sealed, lots }) =>
        lots.map(({ state }, lot) => [`${sealed.set}/${lot}`, state] as [string, string]),
      ),
    );
    for (const name of shown) expect(states.get(name)).toBe('retired');
  }, 120_000);

  it('rotate at once: one does it, the other waits and finds it done', async () => {
    const { start, project } = await scene();
    const both = [start('left', 'rotate'), start('right', 'rotate')];
    await Promise.all(both.map(({ child }) => ended(child)));
    const said = both.map(({ lines }) => lines().at(-1)).sort();
    expect(said).toEqual(['already-rotated 0', 'rotated 16']);
    expect((await readTrapStock(project)).sets).toHaveLength(3);
  });

  it('stop at a full disk without loss, and go on when there is room', async () => {
    const { folders, start, restore } = await scene();
    const first = start('full', 'until-failure', '12');
    await ended(first.child);
    expect(first.lines().at(-1)).toBe('failed STORE_FULL');
    const { events } = await readTrapLedger(folders.ledger);
    const shown = shownIn(first.lines());
    expect(shown.length).toBeGreaterThan(0);
    const second = start('full again', 'rotate', '12');
    await ended(second.child);
    const { sets } = await restore(1);
    const after = (await readTrapLedger(folders.ledger)).events;
    expect(after.slice(0, events.length)).toEqual(events);
    for (const name of shown) {
      const [set, lot = ''] = name.split('/');
      const found = sets.find(({ sealed }) => sealed.set === set);
      expect(found?.lots[Number(lot)]?.state).toBe('retired');
    }
    expect(new Set(shown).size).toBe(shown.length);
  });
});
