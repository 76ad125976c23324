import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LanguageFingerprint } from '../../src/fingerprints/fingerprint.ts';
import { FingerprintStore } from '../../src/store/fingerprints.ts';
import { treeProbes } from '../operations/fingerprints/scene.ts';
import { temporaryDirectory } from './directory.ts';

const fingerprint = (name: string, takenAt = '2026-01-01T00:00:00Z'): LanguageFingerprint => ({
  schema: 'touchmark/fingerprint@1',
  task: 'language',
  model: { name, version: null, address: null },
  probeSet: 'probes-0123456789abcdef',
  takenAt,
  toolkit: '0',
  outcomes: { answered: 0, refused: 0, failed: 0, unsupported: 0, outside: 0 },
  answers: { completions: [] },
});

function newStore(): FingerprintStore {
  return new FingerprintStore(join(temporaryDirectory(), 'fingerprints'));
}

describe('a store of fingerprints', () => {
  it('keeps each content once, and leaves nothing else behind', async () => {
    const store = newStore();
    const first = await store.saveFingerprint(fingerprint('a'));
    const [again, also] = await Promise.all([
      store.saveFingerprint(fingerprint('a')),
      store.saveFingerprint(fingerprint('b')),
    ]);
    expect(again).toEqual(first);
    expect(readdirSync(store.directory)).toEqual(
      [first, also].map(({ id }) => `${id}.json`).sort(),
    );
    expect(await store.findFingerprint(first.id)).toEqual(first);
  });

  it('finds by identifier, its beginning, name and path', async () => {
    const store = newStore();
    const saved = await store.saveFingerprint(fingerprint('rival'));
    const set = await store.saveProbeSet(treeProbes(20));
    const digits = saved.id.replace('fingerprint-', '');
    const copy = join(store.directory, '..', 'copy.json');
    copyFileSync(saved.path, copy);
    for (const reference of [saved.id, digits, digits.slice(0, 6), 'rival', saved.path, copy]) {
      expect((await store.findFingerprint(reference)).id, reference).toBe(saved.id);
    }
    expect((await store.findProbeSet('trees')).id).toBe(set.id);
    expect((await store.findProbeSet(set.id)).document).toEqual(set.document);
  });

  it('finds what ships by name, and reads the probe set of it', async () => {
    const store = newStore();
    const shipped = await store.findFingerprint('builtin:cld3');
    expect(shipped).toMatchObject({ builtin: true, document: { model: { name: 'cld3' } } });
    expect(await store.probeSetOf(shipped)).toMatchObject({ name: 'language-identification' });
    expect((await store.findProbeSet('builtin:language-identification')).builtin).toBe(true);
    const { documents, problems } = await store.listFingerprints();
    expect([documents.length, problems]).toEqual([7, []]);
  });

  it('lists what an ambiguous or unknown reference may mean', async () => {
    const store = newStore();
    const one = await store.saveFingerprint(fingerprint('twin'));
    const two = await store.saveFingerprint(fingerprint('twin', '2026-01-02T00:00:00Z'));
    await expect(store.findFingerprint('twin')).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(new RegExp(`${one.id}|${two.id}`)),
    });
    await expect(store.findFingerprint('tvin')).rejects.toMatchObject({
      code: 'USAGE',
      hint: expect.stringContaining(`${one.id} (twin)`),
    });
    await expect(store.findFingerprint('builtin:../README')).rejects.toMatchObject({
      hint: expect.stringContaining('builtin:cld3'),
    });
    await expect(store.findFingerprint('./nowhere.json')).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('refuses a file that was edited, and lists the others', async () => {
    const store = newStore();
    const [kept, edited] = [
      await store.saveFingerprint(fingerprint('kept')),
      await store.saveFingerprint(fingerprint('edited')),
    ];
    writeFileSync(edited.path, readFileSync(edited.path, 'utf8').replace('edited', 'forged'));
    const invalid = {
      code: 'FINGERPRINT_INVALID',
      message: expect.stringContaining(`${edited.path} was edited`),
    };
    await expect(store.findFingerprint(edited.id)).rejects.toMatchObject(invalid);
    await expect(store.saveFingerprint(fingerprint('edited'))).rejects.toMatchObject(invalid);
    const { documents, problems } = await store.listFingerprints();
    expect(documents.filter(({ builtin }) => !builtin)).toEqual([kept]);
    expect(problems).toEqual([expect.stringContaining('was edited')]);
    expect((await store.findFingerprint('kept')).id).toBe(kept.id);
  });

  it('reads no folder, and no file beyond its limit', async () => {
    const store = newStore();
    const place = join(store.directory, 'fingerprint-0123456789abcdef.json');
    mkdirSync(place, { recursive: true });
    const large = join(store.directory, 'large.json');
    writeFileSync(large, '');
    truncateSync(large, 257 * 2 ** 20);
    await expect(store.findFingerprint('0123456789abcdef')).rejects.toMatchObject({
      message: expect.stringContaining('is no file'),
    });
    await expect(store.findFingerprint(large)).rejects.toMatchObject({
      code: 'FINGERPRINT_INVALID',
      message: expect.stringContaining('269484032 bytes'),
    });
  });
});
