import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  discardDraft,
  draftTrapSet,
  listDrafts,
  listTrapSets,
  publishTrapSet,
  readTrapSetText,
} from '../../src/store/trap-sets.ts';
import { quickParent } from '../ledger/records.ts';
import { temporaryDirectory } from './directory.ts';

const [one, two] = ['coin-0000000000000001', 'region-0000000000000002'];

function folders() {
  const directory = temporaryDirectory();
  return { sealed: join(directory, 'traps'), drafts: join(directory, 'private', 'drafts') };
}

describe('trap sets on disk', () => {
  it('are drafts first, and listed as sealed once they are published, private to the owner', async () => {
    const where = folders();
    expect([await listDrafts(where), await listTrapSets(where)]).toEqual([[], []]);
    await draftTrapSet(where, two, 'second');
    await draftTrapSet(where, one, 'first');
    expect([await listDrafts(where), await listTrapSets(where)]).toEqual([[one, two], []]);
    await publishTrapSet(where, one);
    expect([await listDrafts(where), await listTrapSets(where)]).toEqual([[two], [one]]);
    const path = join(where.sealed, `${one}.json`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await readTrapSetText(where, one)).toBe('first');
  });

  it('are read where they are while they move, and are gone when discarded', async () => {
    const where = folders();
    await draftTrapSet(where, one, 'text');
    expect(await readTrapSetText(where, one)).toBe('text');
    await discardDraft(where, one);
    await discardDraft(where, one);
    expect(await readTrapSetText(where, one)).toBe(undefined);
    await expect(publishTrapSet(where, one)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  });

  it('move between file systems as well', async () => {
    const elsewhere = mkdtempSync(join(quickParent, 'touchmark-store-'));
    onTestFinished(() => rmSync(elsewhere, { recursive: true }));
    const where = { ...folders(), drafts: elsewhere };
    await draftTrapSet(where, one, 'text');
    await publishTrapSet(where, one);
    expect([await listDrafts(where), await listTrapSets(where)]).toEqual([[], [one]]);
    expect(readdirSync(where.sealed)).toEqual([`${one}.json`]);
    expect(statSync(join(where.sealed, `${one}.json`)).mode & 0o777).toBe(0o600);
  });

  it('are no other files', async () => {
    const where = folders();
    await draftTrapSet(where, one, 'text');
    await publishTrapSet(where, one);
    for (const name of ['README.md', 'trap-set.schema.json', `${two}.json.orig`, '.gitignore']) {
      writeFileSync(join(where.sealed, name), '');
    }
    expect(await listTrapSets(where)).toEqual([one]);
    expect(existsSync(join(where.drafts, `${one}.json`))).toBe(false);
  });
});
