import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFile, readInputFile, toolkitVersion } from '../../src/store/project-files.ts';
import { temporaryDirectory } from './directory.ts';

describe('createFile', () => {
  it('writes lines to a new private file in private directories', async () => {
    const path = join(temporaryDirectory(), 'a', 'b.txt');
    await createFile(path, ['one\n', 'two\n'], 0o600);
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
  });

  it('never overwrites', async () => {
    const path = join(temporaryDirectory(), 'a.txt');
    writeFileSync(path, 'mine');
    await expect(createFile(path, ['other'], 0o644)).rejects.toMatchObject({ code: 'USAGE' });
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });

  it('leaves nothing behind when the lines fail', async () => {
    const path = join(temporaryDirectory(), 'a.txt');
    async function* lines(): AsyncGenerator<string> {
      yield 'half\n';
      throw new Error('the log is broken');
    }
    await expect(createFile(path, lines(), 0o600)).rejects.toThrow('the log is broken');
    expect(existsSync(path)).toBe(false);
  });
});

describe('readInputFile', () => {
  const written = (name: string, text: string): string => {
    const path = join(temporaryDirectory(), name);
    writeFileSync(path, text);
    return path;
  };

  it('reads plain lines as they are, and skips empty ones', async () => {
    const path = written('a.txt', '\uFEFFone \r\n\n"two"\n');
    expect(await readInputFile(path)).toEqual(['one ', '"two"']);
  });

  it('reads JSON strings and tensors', async () => {
    const path = written('a.jsonl', '"a\\nb"\n{"shape":[2],"data":[1,0.5]}\n');
    const tensor = { shape: [2], data: Float32Array.of(1, 0.5) };
    expect(await readInputFile(path)).toEqual(['a\nb', tensor]);
  });

  it.each([
    ['no JSON', '"a"\nb\n', /a\.jsonl:2: not valid JSON/],
    ['a number', '1\n', /:1: neither a string nor a tensor/],
    ['an unknown member', '{"shape":[1],"data":[1],"x":1}', /:1: neither/],
    [
      'a shape that does not fit',
      '"a"\n\n{"shape":[3],"data":[1]}',
      /:3: The tensor's shape \[3\]/,
    ],
    ['a number beyond float32', '{"shape":[1],"data":[1e39]}', /:1: .*Infinity/],
    ['a lone surrogate', '"\\ud800"', /:1: .*surrogate/],
  ])('refuses %s, naming the line', async (_, text, message) => {
    await expect(readInputFile(written('a.jsonl', text))).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it('names a file that is not there', async () => {
    await expect(readInputFile('/nowhere/a.txt')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});

it('knows its own version', async () => {
  expect(await toolkitVersion()).toMatch(/^\d+\.\d+\.\d+/);
});
