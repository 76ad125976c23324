import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TouchmarkError } from '../../../src/errors.ts';
import { eraseTenant } from '../../../src/ledger/erase.ts';
import { trapLedgerPath } from '../../../src/ledger/trap-ledger.ts';
import { claimTraps } from '../../../src/operations/traps/claims.ts';
import { type RotateOptions, rotateTraps } from '../../../src/operations/traps/rotate.ts';
import type { TrapSource } from '../../../src/operations/traps/source.ts';
import { readTrapStock, trapFolders } from '../../../src/operations/traps/stock.ts';
import { StockWriter, storeTrapSet } from '../../../src/operations/traps/stock-writer.ts';
import type { KeyRing } from '../../../src/store/key-ring.ts';
import { sealTrapSet } from '../../../src/traps/seal.ts';
import { temporaryDirectory } from '../../store/directory.ts';
import { fakeSources, regionSource } from './fake-sources.ts';
import { daysLater, keyRingOf, namesIn, noon, projectIn, regionSet, servedLog } from './scene.ts';

const owner = keyRingOf();

async function scene({ log = true } = {}) {
  const project = projectIn(temporaryDirectory());
  if (log) await servedLog(project.config.log.directory);
  const folders = trapFolders(project);
  const rotate = (now: Date, options: Partial<RotateOptions> & { keyRing?: KeyRing } = {}) =>
    rotateTraps({
      project,
      keyRing: owner,
      sources: fakeSources,
      now,
      signal: new AbortController().signal,
      progress: () => undefined,
      ...options,
    });
  const sets = async () => (await readTrapStock(project)).sets;
  const fileOf = (set: string) => join(folders.sealed, `${set}.json`);
  const claim = () =>
    claimTraps({
      project,
      keyRing: owner,
      targets: [{ kind: 'region', tenant: null, epoch: null }],
      lotsPerAudit: 1,
      suspect: 's',
      operator: null,
      audit: 'x',
      now: noon,
    });
  return { project, folders, rotate, sets, fileOf, claim };
}

describe('rotateTraps', () => {
  it('fills the stock once a day, and replaces what was exposed or is too old', async () => {
    const { rotate, sets, claim } = await scene();
    const first = await rotate(noon);
    expect(first).toMatchObject({
      failures: [],
      report: {
        period: '2026-03-10',
        status: 'rotated',
        built: 16,
        retired: 0,
        stock: [
          { kind: 'coin', tenant: 'acme', epoch: 'e1', active: 8, target: 8, built: 8, why: null },
          { kind: 'region', tenant: null, active: 8, target: 6, built: 8, why: null },
        ],
      },
    });
    await claim();
    const again = await rotate(new Date(noon.getTime() + 3_600_000));
    expect(again.report).toMatchObject({ status: 'already-rotated', built: 0, retired: 0 });
    const next = await rotate(daysLater(1));
    expect(next.report).toMatchObject({ status: 'rotated', built: 0, retired: 1 });
    await claim();
    expect((await rotate(daysLater(2))).report).toMatchObject({ built: 4, retired: 1 });
    for (const day of [40, 80, 120, 160]) await rotate(daysLater(day));
    const old = await rotate(daysLater(181));
    expect(old.report).toMatchObject({ built: 12, retired: 4 + 2 });
    expect((await sets())[0]?.lots[0]).toEqual({ state: 'retired', why: 'age' });
  });

  it('says for each kind what is missing when there is nothing to build from', async () => {
    const { rotate, project } = await scene({ log: false });
    const { report, failures } = await rotate(noon, { sources: [] });
    expect(failures).toEqual([]);
    expect(report).toMatchObject({ status: 'rotated', built: 0 });
    expect(report.reasons).toEqual([
      expect.stringMatching(/^coin traps of acme e1: There is no serving log yet/),
      expect.stringMatching(/^region traps: /),
    ]);
    expect((await readTrapStock(project)).lastRotation?.built).toBe(0);
  });

  it('builds the rest when a source fails, and tries again at the next call', async () => {
    const { rotate } = await scene();
    const failing: TrapSource = {
      kind: 'coin',
      build: async () => {
        throw new TouchmarkError('UPSTREAM_FAILED', 'The model is down.', { hint: 'Wait.' });
      },
    };
    const { report, failures } = await rotate(noon, { sources: [failing, regionSource] });
    expect(report).toMatchObject({
      status: 'incomplete',
      built: 8,
      problems: ['The model is down.'],
    });
    expect(failures.map(({ exitCode }) => exitCode)).toEqual([3]);
    expect((await rotate(noon)).report).toMatchObject({ status: 'rotated', built: 8 });
  });

  it('stops when interrupted, and goes on at the next call', async () => {
    const { rotate } = await scene();
    const stop = new AbortController();
    const interrupting: TrapSource = {
      kind: 'coin',
      build: async (request) => {
        const built = await fakeSources[0]!.build(request);
        stop.abort(new TouchmarkError('INTERRUPTED', 'Interrupted.'));
        return built;
      },
    };
    const sources = [interrupting, regionSource];
    const interrupted = rotate(noon, { sources, signal: stop.signal });
    await expect(interrupted).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect((await rotate(noon)).report).toMatchObject({ status: 'rotated', built: 8 });
  });

  it('retires at once what the owner says has leaked, also on a day that is complete', async () => {
    const { rotate, sets } = await scene();
    const unknown = { leaked: ['coin-0123456789abcdef'] };
    await expect(rotate(noon, unknown)).rejects.toMatchObject({ code: 'USAGE' });
    await rotate(noon);
    const leaked = [(await sets())[0]!.sealed.set];
    expect((await rotate(noon, { leaked })).report).toMatchObject({ built: 8, retired: 4 });
    expect((await rotate(noon, { leaked })).report.status).toBe('already-rotated');
    await expect(rotate(noon, unknown)).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('what rotation finds', () => {
  it('files that are missing, cut or edited: retired as damaged, told once, left in place', async () => {
    const { rotate, sets, fileOf, folders } = await scene();
    await rotate(noon);
    const [coin, first, second] = (await sets()).map(({ sealed }) => sealed.set);
    rmSync(fileOf(first!));
    truncateSync(fileOf(coin!), 300);
    writeFileSync(fileOf(second!), readFileSync(fileOf(second!), 'utf8').replace('"b"', '"c"'));
    const { report, failures } = await rotate(daysLater(1));
    expect(report).toMatchObject({ status: 'rotated', built: 16, retired: 8 });
    expect(report.problems).toHaveLength(3);
    expect(failures).toMatchObject([{ code: 'STORE_DAMAGED', exitCode: 6 }]);
    for (const { lots } of (await sets()).slice(0, 3)) {
      expect(new Set(lots.map((lot) => JSON.stringify(lot)))).toEqual(
        new Set(['{"state":"retired","why":"damaged"}']),
      );
    }
    expect(namesIn(folders.sealed)).toHaveLength(5);
    expect(await rotate(daysLater(2))).toMatchObject({ failures: [], report: { problems: [] } });
  });

  it('damage on a day that is complete: retired and replaced that day', async () => {
    const { rotate, sets, fileOf } = await scene();
    await rotate(noon);
    expect((await rotate(noon)).report.status).toBe('already-rotated');
    truncateSync(fileOf((await sets())[0]!.sealed.set), 300);
    const { report, failures } = await rotate(noon);
    expect(report.status).toBe('rotated');
    expect(report.built).toBeGreaterThan(0);
    expect(failures).toMatchObject([{ code: 'STORE_DAMAGED' }]);
    expect((await rotate(noon)).report).toMatchObject({ status: 'already-rotated', problems: [] });
  });

  it('another set in the place of one: damaged', async () => {
    const { rotate, sets, fileOf } = await scene();
    await rotate(noon);
    const [, first, second] = (await sets()).map(({ sealed }) => fileOf(sealed.set));
    writeFileSync(first!, readFileSync(second!));
    const { report } = await rotate(daysLater(1));
    expect(report.problems).toEqual([expect.stringContaining('not the set that the ledger names')]);
    expect(report).toMatchObject({ built: 4, retired: 2 });
  });

  it('sets under the key of another ring: refuses, and retires nothing', async () => {
    const { rotate, sets, fileOf, project } = await scene();
    await rotate(noon);
    const before = await sets();
    const other = rotate(daysLater(1), { keyRing: keyRingOf('somebody else') });
    await expect(other).rejects.toMatchObject({ code: 'KEY_RING_INVALID', exitCode: 6 });
    expect(await sets()).toEqual(before);
    const { sealed } = before[1]!;
    const { set } = JSON.parse(readFileSync(fileOf(sealed.set), 'utf8'));
    const resealed = sealTrapSet(set, keyRingOf('somebody else').sealingKey());
    writeFileSync(fileOf(sealed.set), JSON.stringify(resealed));
    const { report } = await rotate(daysLater(1));
    expect(report.problems).toEqual([expect.stringContaining('key that is not in the key ring')]);
    expect((await readTrapStock(project)).sets[1]?.lots[0]).toMatchObject({ why: 'damaged' });
  });

  it('files of nobody it knows: told, and left alone', async () => {
    const { rotate, fileOf, folders } = await scene();
    const foreign = sealTrapSet(regionSet([1]), keyRingOf('somebody else').sealingKey());
    writeFileSync(fileOf(foreign.seal.id), JSON.stringify(foreign));
    const { report, failures } = await rotate(noon);
    expect({ failures, problems: report.problems }).toEqual({
      failures: [],
      problems: [expect.stringContaining(foreign.seal.id)],
    });
    expect(namesIn(folders.sealed)).toContain(`${foreign.seal.id}.json`);
  });

  it('an older ledger in place of the last: refuses, and reuses nothing', async () => {
    const { rotate, folders, claim, project } = await scene();
    await rotate(noon, { sources: [] });
    const path = trapLedgerPath(folders.ledger);
    const older = readFileSync(path);
    await storeTrapSet(project, owner, regionSet([1, 1, 1, 1, 1, 1]), noon);
    const newer = readFileSync(path);
    writeFileSync(path, older);
    const unknownSets = {
      code: 'LOG_INVALID',
      message: expect.stringContaining('does not know it'),
    };
    await expect(rotate(daysLater(1))).rejects.toMatchObject(unknownSets);
    writeFileSync(path, newer);
    await claim();
    writeFileSync(path, older);
    const orphans = { code: 'LOG_INVALID', message: expect.stringContaining('1 claims on lots') };
    await expect(rotate(daysLater(1))).rejects.toMatchObject(orphans);
    writeFileSync(path, newer);
    expect((await rotate(daysLater(1), { sources: [] })).report.retired).toBe(1);
  });

  it('a tenant that was erased from the log: its coin sets are retired', async () => {
    const { rotate, sets, project } = await scene();
    await rotate(noon);
    await eraseTenant(project.config.log.directory, 'acme', noon);
    const { report } = await rotate(daysLater(1));
    expect(report).toMatchObject({ built: 0, retired: 4, problems: [] });
    expect((await sets())[0]?.lots[0]).toEqual({ state: 'retired', why: 'erased' });
  });

  it('another log in place of the one that coins were taken from: told, nothing retired', async () => {
    const { rotate, project } = await scene();
    await rotate(noon);
    rmSync(project.config.log.directory, { recursive: true });
    const { report } = await rotate(daysLater(1));
    expect(report.problems).toEqual([expect.stringContaining('it is another log')]);
    expect(report.retired).toBe(0);
  });

  it('a region question that somebody asked: its lot is retired as leaked, the others not', async () => {
    const { rotate, project } = await scene();
    const questions = ['one', 'two', 'question 1 of acme', 'four', 'five', 'six'];
    const set = regionSet([2, 2, 2], () => questions.shift() ?? '');
    await storeTrapSet(project, owner, set, noon);
    expect((await rotate(noon)).report.retired).toBe(1);
    const [first] = (await readTrapStock(project)).sets;
    expect(first?.lots).toEqual([
      { state: 'active' },
      { state: 'retired', why: 'leaked' },
      { state: 'active' },
    ]);
  });

  it('a clock that jumped: nothing is retired or built until the owner vouches for it', async () => {
    const { rotate, sets, claim, project } = await scene();
    await rotate(noon);
    const before = await sets();
    for (const days of [-365, 365]) {
      await expect(rotate(daysLater(days))).rejects.toMatchObject({ code: 'CLOCK_DOUBTFUL' });
    }
    expect(await sets()).toEqual(before);
    await claim();
    const hour = 3_600_000;
    for (const wrong of [-hour, hour]) {
      expect((await rotate(new Date(noon.getTime() + wrong))).report.status).toBe(
        'already-rotated',
      );
    }
    const { report } = await rotate(daysLater(-365), { trustClock: true });
    expect(report).toMatchObject({ status: 'rotated', retired: 1 });
    expect((await readTrapStock(project)).lastEventAt).toBe(daysLater(-365).toISOString());
    expect((await rotate(daysLater(-364))).report.status).toBe('rotated');
  });

  it('a stock that another process writes to: leaves it alone, naming the process', async () => {
    const { rotate, project } = await scene();
    const writer = await StockWriter.open(project, noon);
    await expect(rotate(noon)).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringContaining(`process ${process.pid}`),
    });
    await writer.close();
  });
});
