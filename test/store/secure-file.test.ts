import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createSecureFile,
  readSecureFile,
  storageError,
  writeSecureFile,
} from '../../src/store/secure-file.ts';
import { temporaryDirectory } from './directory.ts';

describe('secure file', () => {
  it('is private, replaced as a whole, and leaves nothing beside it', async () => {
    const path = join(temporaryDirectory(), 'inner', 'secret');
    await createSecureFile(path, 'one');
    await writeSecureFile(path, 'two');
    expect(await readSecureFile(path)).toBe('two');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, '..'))).toEqual(['secret']);
  });

  it('is not created over another, and leaves no draft', async () => {
    const path = join(temporaryDirectory(), 'secret');
    writeFileSync(path, 'old');
    await expect(createSecureFile(path, 'new')).rejects.toMatchObject({ code: 'USAGE' });
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(join(path, '..'))).toEqual(['secret']);
  });

  it('says what the file system refused', async () => {
    const directory = temporaryDirectory();
    const inside = join(directory, 'file', 'inside');
    writeFileSync(join(directory, 'file'), '');
    mkdirSync(join(directory, 'folder'), { mode: 0o700 });
    const refused = { code: 'STORE_DAMAGED', message: expect.stringContaining('ENOTDIR') };
    await expect(writeSecureFile(inside, '')).rejects.toMatchObject(refused);
    await expect(createSecureFile(inside, '')).rejects.toMatchObject({
      code: 'STORE_DAMAGED',
      message: expect.stringContaining(inside),
    });
    await expect(readSecureFile(inside)).rejects.toMatchObject(refused);
    await expect(readSecureFile(join(directory, 'folder'))).rejects.toThrow(/EISDIR/);
  });

  it.each(['ENOSPC', 'EDQUOT'])('calls %s a full store', (code) => {
    const error = storageError('write', '/a', Object.assign(new Error(code), { code }));
    expect(error).toMatchObject({ code: 'STORE_FULL', exitCode: 6 });
    expect(error.message).toContain(`/a (${code})`);
  });
});
