import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLabelledFile } from '../../src/store/labelled-file.ts';
import {
  noteUsedQuestions,
  openTextCache,
  readUsedQuestions,
} from '../../src/store/region-work.ts';
import { temporaryDirectory } from './directory.ts';

describe('readLabelledFile', () => {
  it('reads texts and tensors with their labels, and skips empty lines', async () => {
    const path = join(temporaryDirectory(), 'data.jsonl');
    const tensor = '{"input":{"shape":[2],"data":[1,0.5]},"label":"b"}';
    writeFileSync(path, `{"input":"x","label":"a"}\n\n${tensor}\n`);
    expect(await readLabelledFile(path)).toEqual([
      { input: 'x', label: 'a' },
      { input: { shape: [2], data: Float32Array.of(1, 0.5) }, label: 'b' },
    ]);
  });

  it.each([
    '{"input":"x"}',
    '["x","a"]',
    '{"input":{"shape":[3],"data":[1]},"label":"a"}',
    '{',
  ])('names file and line of %s', async (line) => {
    const path = join(temporaryDirectory(), 'data.jsonl');
    writeFileSync(path, `{"input":"x","label":"a"}\n${line}\n`);
    await expect(readLabelledFile(path)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(`${path}:2`),
    });
  });
});

describe('noteUsedQuestions', () => {
  it('adds to what was noted, and survives a line that a crash cut short', async () => {
    const path = join(temporaryDirectory(), 'deep', 'used.txt');
    expect(await readUsedQuestions(path)).toEqual(new Set());
    const [a, b] = ['a'.repeat(64), 'b'.repeat(64)];
    await noteUsedQuestions(path, [a]);
    writeFileSync(path, 'c'.repeat(20), { flag: 'a' });
    await noteUsedQuestions(path, [b]);
    expect(await readUsedQuestions(path)).toEqual(new Set([a, b]));
  });
});

describe('openTextCache', () => {
  it('keeps texts by name', async () => {
    const cache = openTextCache(join(temporaryDirectory(), 'cache'));
    expect(await cache.read('00')).toBeUndefined();
    await cache.write('00', 'one');
    await cache.write('00', 'two');
    expect(await cache.read('00')).toBe('two');
  });
});
