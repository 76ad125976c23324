import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { claimLot, readClaims } from '../../src/store/trap-exposures.ts';
import type { ExposureClaim } from '../../src/traps/events.ts';
import { temporaryDirectory } from './directory.ts';

const set = 'region-0123456789abcdef';

function claimOf(lot: number, audit = 'x'): ExposureClaim {
  const at = '2026-03-10T12:00:00.000Z';
  const who = { suspect: 'acme cloud', operator: 'acme', audit };
  return { schema: 'touchmark/trap-exposure@1', set, lot, at, ...who };
}

describe('claimLot', () => {
  it('gives a lot to one claim only, whoever asks again', async () => {
    const directory = join(temporaryDirectory(), 'exposures');
    expect(await claimLot(directory, claimOf(0))).toBe(true);
    expect(await claimLot(directory, claimOf(0, 'y'))).toBe(false);
    expect(await claimLot(directory, claimOf(1, 'y'))).toBe(true);
    const [first, second] = await readClaims(directory);
    expect(first).toEqual({ set, lot: 0, suspect: 'acme cloud', operator: 'acme', audit: 'x' });
    expect(second).toMatchObject({ lot: 1, audit: 'y' });
    expect(statSync(join(directory, `${set}-0.json`)).mode & 0o777).toBe(0o600);
  });

  it('gives it to one of many at once', async () => {
    const directory = join(temporaryDirectory(), 'exposures');
    const claims = Array.from({ length: 20 }, (_, index) =>
      claimLot(directory, claimOf(7, `${index}`)),
    );
    const won = await Promise.all(claims);
    expect(won.filter((each) => each)).toHaveLength(1);
    const [held] = await readClaims(directory);
    expect(held?.audit).toBe(`${won.indexOf(true)}`);
  });

  it('says when the file system refuses', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    await expect(claimLot(file, claimOf(0))).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  });
});

describe('readClaims', () => {
  it('counts claims that are empty, cut or edited by their names, and no other files', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, `${set}-3.json`), '');
    writeFileSync(join(directory, `${set}-4.json`), JSON.stringify(claimOf(4)).slice(0, 50));
    writeFileSync(join(directory, `${set}-5.json`), '{"set":"another"}');
    writeFileSync(join(directory, `.${set}-6.json.swp`), '');
    writeFileSync(join(directory, 'notes.txt'), '');
    const unknown = { set, suspect: 'unknown', operator: null, audit: 'unknown' };
    expect(await readClaims(directory)).toEqual([3, 4, 5].map((lot) => ({ ...unknown, lot })));
    expect(readdirSync(directory)).toHaveLength(5);
    expect(await readClaims(join(directory, 'nowhere'))).toEqual([]);
  });
});
