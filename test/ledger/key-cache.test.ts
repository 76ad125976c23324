import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KeyCache } from '../../src/ledger/key-cache.ts';
import { layoutOf, tenantHash } from '../../src/ledger/layout.ts';
import { openServingLog } from '../../src/ledger/serving-log.ts';
import { verifyServingLog } from '../../src/ledger/verify-log.ts';
import { recordOf, temporaryDirectory } from './records.ts';

describe('payload keys at hand', () => {
  it('are made once, however many ask at the same moment, and the last used are kept', async () => {
    const layout = layoutOf(temporaryDirectory());
    mkdirSync(layout.keys);
    const cache = new KeyCache(layout, randomBytes, 3);
    const [first, second] = await Promise.all([cache.load(['acme', 'bolt']), cache.load(['acme'])]);
    expect(second.get('acme')).toBe(first.get('acme'));
    expect(readdirSync(layout.keys)).toHaveLength(2);
    cache.find('acme');
    expect(await cache.load(['cole', 'dora'])).toHaveProperty('size', 2);
    expect(['acme', 'bolt', 'cole'].map((tenant) => cache.find(tenant)?.tenant)).toEqual([
      'acme',
      undefined,
      'cole',
    ]);
    expect((await cache.load(['bolt'])).get('bolt')).toEqual(first.get('bolt'));
  });

  it('of one tenant may be damaged without harm to the others', async () => {
    const directory = temporaryDirectory();
    const log = await openServingLog(directory);
    await log.append([recordOf(1), recordOf(2, 'bolt')]);
    await log.close();
    const key = join(directory, 'keys', `${tenantHash('acme')}.key`);
    chmodSync(key, 0o644);
    const again = await openServingLog(directory);
    const [refused, taken] = await Promise.allSettled([
      again.append([recordOf(3)]),
      again.append([recordOf(4, 'bolt')]),
    ]);
    expect(refused).toMatchObject({ reason: { code: 'KEY_RING_PERMISSIONS' } });
    expect(taken).toMatchObject({ value: [2] });
    chmodSync(key, 0o600);
    const late = again.append([recordOf(5)]);
    await again.close();
    expect(await late).toEqual([3]);
    expect(await verifyServingLog(directory)).toMatchObject({ records: 4, problems: [] });
  });
});
