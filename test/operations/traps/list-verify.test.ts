import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openServingLog } from '../../../src/ledger/serving-log.ts';
import { trapLedgerPath } from '../../../src/ledger/trap-ledger.ts';
import { buildTraps } from '../../../src/operations/traps/build.ts';
import { claimTraps } from '../../../src/operations/traps/claims.ts';
import { listTraps, revealTraps } from '../../../src/operations/traps/list.ts';
import { trapFolders } from '../../../src/operations/traps/stock.ts';
import { storeTrapSet } from '../../../src/operations/traps/stock-writer.ts';
import { verifyShippedSet, verifyTraps } from '../../../src/operations/traps/verify.ts';
import { openKeyRing } from '../../../src/store/key-ring.ts';
import { trapCommitments } from '../../../src/traps/seal.ts';
import type { TrapSet } from '../../../src/traps/trap-set.ts';
import { recordsOf } from '../../ledger/records-data.ts';
import { tinyProject } from '../tiny-project.ts';
import { coinSet, noon, regionSet } from './scene.ts';

/** A project of `init` with a region set of three lots and a coin set over a log of eight records. */
async function scene() {
  const { directory, configPath } = await tinyProject();
  const keyRing = await openKeyRing({ source: `file:${directory}/.touchmark/keys/ring.json` });
  const log = await openServingLog(join(directory, '.touchmark', 'log'));
  await log.append(recordsOf(8, 'example'));
  const { size, hash } = log.head;
  await log.close();
  const store = (set: TrapSet) => storeTrapSet({ directory }, keyRing, set, noon);
  const region = await store(regionSet([2, 2, 1]));
  const set: TrapSet = {
    ...(coinSet(0, 8, 2) as Extract<TrapSet, { kind: 'coin' }>),
    tenant: 'example',
    epochCommitment: keyRing.commitment('example', 'e1'),
    log: { entries: size, head: hash },
  };
  const coin = await store(set);
  const folders = trapFolders({ directory });
  const options = { configPath, environment: {} };
  const claim = () =>
    claimTraps({
      project: { directory },
      keyRing,
      targets: [{ kind: 'region', tenant: null, epoch: null }],
      lotsPerAudit: 1,
      suspect: 's',
      operator: null,
      audit: 'x',
      now: noon,
    });
  return { directory, folders, options, region, coin, claim, store };
}

describe('listTraps', () => {
  it('counts lots by what became of them, and shows no trap', async () => {
    const { options, region, coin, claim } = await scene();
    await claim();
    const listed = await listTraps(options);
    expect(listed).toMatchObject([
      {
        set: region.seal.id,
        kind: 'region',
        lots: { active: 2, exposed: 1, retired: 0 },
        activeTraps: 3,
        bansPerLot: 1.5,
      },
      { set: coin.seal.id, tenant: 'example', epoch: 'e1', lots: { active: 2 }, activeTraps: 8 },
    ]);
    const secret = region.set.lots[0]?.traps[0]?.salt ?? '';
    expect(JSON.stringify(listed)).not.toContain(secret);
  });
});

describe('revealTraps', () => {
  it('retires a set for good, then gives its traps with the commitments of reports', async () => {
    const { options, region, coin, claim } = await scene();
    const shown = await revealTraps({ ...options, set: region.seal.id, now: noon });
    expect(shown.lots.map(({ traps }) => traps.map(({ commitment }) => commitment))).toEqual(
      [0, 1, 2].map((lot) => trapCommitments(region.set, lot)),
    );
    expect((await claim()).lots).toEqual([]);
    expect((await listTraps(options))[0]?.lots).toEqual({ active: 0, exposed: 0, retired: 3 });
    const coins = await revealTraps({ ...options, set: coin.seal.id, now: noon });
    expect(coins.lots[1]?.traps[0]).toMatchObject({ sequence: 1, input: 'question 1 of example' });
  });

  it('retires nothing when there is no such set, or its file does not fit', async () => {
    const { options, folders, region } = await scene();
    const reveal = (set: string) => revealTraps({ ...options, set, now: noon });
    await expect(reveal('region-0123456789abcdef')).rejects.toMatchObject({ code: 'USAGE' });
    writeFileSync(join(folders.sealed, `${region.seal.id}.json`), '{');
    await expect(reveal(region.seal.id)).rejects.toMatchObject({ code: 'TRAP_SET_INVALID' });
    expect((await listTraps(options))[0]?.lots.active).toBe(3);
  });
});

describe('verifyTraps', () => {
  it('says what is fine', async () => {
    const { options, region, coin, claim } = await scene();
    await claim();
    const found = await verifyTraps(options);
    expect(found).toMatchObject({ valid: true, problems: [] });
    const one = await verifyTraps({ ...options, set: coin.seal.id });
    expect(one.fine).toContainEqual(expect.stringMatching(`${coin.seal.id}: the serving log has`));
    for (const set of [region, coin]) {
      expect(found.fine).toContainEqual(expect.stringContaining(`${set.seal.id}: `));
    }
    const unknown = verifyTraps({ ...options, set: 'coin-0123456789abcdef' });
    await expect(unknown).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('finds an edited set, and an edited ledger by line', async () => {
    const { options, folders, region, coin } = await scene();
    const path = join(folders.sealed, `${region.seal.id}.json`);
    writeFileSync(path, readFileSync(path, 'utf8').replace('"weight":1', '"weight":2'));
    const edited = [expect.stringContaining(`${path} was changed after it was sealed`)];
    expect((await verifyTraps(options)).problems).toEqual(edited);
    expect(await verifyTraps({ ...options, set: coin.seal.id })).toMatchObject({ valid: true });
    const ledger = trapLedgerPath(folders.ledger);
    writeFileSync(
      ledger,
      readFileSync(ledger, 'utf8').replace('"bansPerLot":1.5', '"bansPerLot":9'),
    );
    const broken = [expect.stringContaining(`${ledger}:1: this line`)];
    expect((await verifyTraps(options)).problems).toEqual(broken);
  });

  it('finds coins of another log, or of another epoch key', async () => {
    const { options, store } = await scene();
    const another = await store({ ...(coinSet(8, 2, 2) as object), tenant: 'example' } as TrapSet);
    const { problems } = await verifyTraps({ ...options, set: another.seal.id });
    expect(problems).toEqual([expect.stringContaining('has another key')]);
    const keyRing = await openKeyRing({
      source: `file:${options.configPath.replace('touchmark.yaml', '.touchmark/keys/ring.json')}`,
    });
    const epochCommitment = keyRing.commitment('example', 'e1');
    const elsewhere = { ...coinSet(10, 2, 2), tenant: 'example', epochCommitment } as TrapSet;
    const { seal } = await store(elsewhere);
    expect((await verifyTraps({ ...options, set: seal.id })).problems).toEqual([
      expect.stringContaining('is not the one it was sealed over'),
    ]);
  });

  it('refuses shipped sets that there are none of', async () => {
    for (const name of ['no-such-set', '../package', 'README.md']) {
      await expect(verifyShippedSet(name)).rejects.toMatchObject({ code: 'USAGE' });
    }
  });
});

describe('buildTraps', () => {
  it('refuses what does not go together', async () => {
    const { options } = await scene();
    const quiet = { now: noon, signal: new AbortController().signal, progress: () => undefined };
    for (const [wrong, message] of [
      [{ kind: 'region', tenant: 'example' }, 'belong to no tenant'],
      [{ kind: 'coin', questions: 'pool' }, 'from the serving log'],
    ] as const) {
      const built = buildTraps({ ...options, ...quiet, ...wrong });
      await expect(built).rejects.toMatchObject({
        code: 'USAGE',
        message: expect.stringContaining(message),
      });
    }
    const nobody = buildTraps({ ...options, ...quiet, kind: 'coin', tenant: 'nobody' });
    await expect(nobody).rejects.toMatchObject({ code: 'TENANT_UNKNOWN' });
  });
});
