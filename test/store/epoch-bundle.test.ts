import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { bundleLines, openEpochBundle } from '../../src/store/epoch-bundle.ts';
import { temporaryDirectory } from './directory.ts';

function epochsOf(count: number) {
  return Array.from({ length: count }, (_, index) => ({
    tenant: `tenant-${index}`,
    epoch: `e${1 + (index % 3)}`,
    commitment: `sha256:${index.toString(16).padStart(64, '0')}`,
    key: Buffer.alloc(32, index),
  }));
}

function written(text: string): string {
  const path = join(temporaryDirectory(), 'bundle.jsonl');
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const textOf = (count: number) =>
  [...bundleLines(epochsOf(count), count, '2026-01-01T00:00:00.000Z')].join('');

describe('epoch bundle', () => {
  it('gives current epochs and keys, and holds nothing else', async () => {
    const path = written(textOf(2000));
    const bundle = await openEpochBundle(path);
    expect(bundle.tenants()).toHaveLength(2000);
    expect(bundle.has('tenant-7') && !bundle.has('nobody')).toBe(true);
    expect(bundle.currentEpoch('tenant-7')).toMatchObject({
      epoch: 'e2',
      commitment: epochsOf(8)[7]?.commitment,
    });
    expect(bundle.epochKey('tenant-7', 'e2')).toEqual(Buffer.alloc(32, 7));
    bundle.epochKey('tenant-7', 'e2').fill(0);
    expect(bundle.epochKey('tenant-7', 'e2')).toEqual(Buffer.alloc(32, 7));
    expect(() => bundle.epochKey('tenant-7', 'e1')).toThrow(
      expect.objectContaining({ code: 'EPOCH_UNKNOWN' }),
    );
    expect(() => bundle.currentEpoch('nobody')).toThrow(
      expect.objectContaining({ code: 'TENANT_UNKNOWN' }),
    );
    expect(Object.keys(bundle)).toEqual(['path']);
    expect(inspect(bundle, { depth: 9, showHidden: true })).not.toMatch(/Buffer|e2/);
  });

  it('reads the document of one epoch too', async () => {
    const [epoch] = epochsOf(1);
    const document = {
      schema: 'touchmark/epoch-bundle@1',
      ...epoch,
      key: epoch?.key.toString('base64'),
    };
    const bundle = await openEpochBundle(written(`${JSON.stringify(document, undefined, 2)}\n`));
    expect(bundle.epochKey('tenant-0', 'e1')).toEqual(Buffer.alloc(32));
  });

  it('refuses a file cut anywhere, changed anywhere, or newer, and shows no key', async () => {
    const text = textOf(3);
    const path = written(text);
    const refused = async (changed: string, message: RegExp) => {
      writeFileSync(path, changed);
      const error = await openEpochBundle(path).catch((cause: unknown) => cause);
      expect(error).toMatchObject({
        code: 'KEY_RING_INVALID',
        message: expect.stringMatching(message),
      });
      expect(inspect(error, { depth: 9 })).not.toContain('AQEBAQ');
    };
    for (let length = 0; length < text.length - 2; length += 13) {
      await refused(text.slice(0, length), /cut short|is no|was changed/);
    }
    for (let position = 0; position < text.length - 1; position += 7) {
      const other = text[position] === 'A' ? 'B' : 'A';
      await refused(
        text.slice(0, position) + other + text.slice(position + 1),
        /is no|changed|says/,
      );
    }
    await refused(`${text}${text}`, /was changed/);
    await refused(
      text.replace('bundles@1', 'bundles@2'),
      /:1: it says touchmark\/epoch-bundles@2;/,
    );
    const twice = [epochsOf(1), epochsOf(1)].flat();
    await refused([...bundleLines(twice, 2, '2026-01-01T00:00:00.000Z')].join(''), /two epochs/);
  });

  it('refuses a file that others can read, or that is not there', async () => {
    const path = written(textOf(1));
    expect(readFileSync(path, 'utf8')).toContain('tenant-0');
    chmodSync(path, 0o644);
    await expect(openEpochBundle(path)).rejects.toMatchObject({ code: 'KEY_RING_PERMISSIONS' });
    await expect(openEpochBundle(`${path}.absent`)).rejects.toThrow(/There is no epoch bundle/);
  });
});
