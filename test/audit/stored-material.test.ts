import { describe, expect, it } from 'vitest';
import {
  type ComputedMaterial,
  decodeMaterial,
  encodeMaterial,
  materialDigest,
} from '../../src/audit/stored-material.ts';
import type { ServedRecord } from '../../src/contracts.ts';
import { classifierKeys } from '../../src/keys/classifier-keys.ts';
import { readingLogs } from '../../src/watermark/probability/alignment.ts';
import { keyOf, textProfile } from '../watermark/fixtures.ts';

const record = (sequence: number): ServedRecord => ({
  sequence,
  tenant: 'acme',
  epoch: 'e1',
  servedAt: '2026-01-02T03:04:05.678Z',
  modelVersion: '1',
  input: `question ${sequence}`,
  clean: [0.4, 0.3, 0.2, 0.1],
  served: [0.4, 0.3, 0.2, 0.1],
  label: 0,
  marks: { probability: true },
});
const context = {
  profile: textProfile(),
  keys: classifierKeys(keyOf('epoch')),
  epochCommitment: `sha256:${'0'.repeat(64)}`,
  records: [record(3), record(7), record(9)],
  questionsNotChosenFromAnswers: false,
  referencesExchangeable: false,
};
const rows = [
  [0.7, 0.1, 0.1, 0.1],
  [1 - 3e-5, 1e-5, 1e-5, 1e-5],
];
const material: ComputedMaterial = {
  fresh: [
    { input: 'größer 更大 🎉', baselines: rows },
    { input: { shape: [1, 3], data: Float32Array.of(-0.1, 3e38, 1e-40) }, baselines: [] },
  ],
  logged: [
    { sequence: 9, baselines: rows, replayBaselines: [rows[1]!] },
    { sequence: 3, baselines: [rows[0]!] },
  ],
  coins: [3, 7],
  regionLots: [
    {
      set: 'region-0123456789abcdef',
      index: 2,
      lot: {
        traps: [
          { input: 'nah', label: 'de', weight: 2, salt: '0'.repeat(32) },
          { input: { shape: [2], data: [0.5, -1] }, label: 'en', weight: 1, salt: '1'.repeat(32) },
        ],
        calibration: { same: [1, 0], other: [2] },
      },
    },
  ],
};
const readingOf = (row: readonly number[]) => readingLogs(Float32Array.from(row));

describe('stored material', () => {
  it('joins what was computed with log and keys, in the sealed order', () => {
    const { fresh, logged, coins, regionLots, ...rest } = decodeMaterial(
      encodeMaterial(material),
      context,
    );
    expect(fresh.map(({ probe }) => probe)).toEqual([
      { id: 'fresh/0', task: 'classify', input: material.fresh[0]!.input, repeat: 0 },
      { id: 'fresh/1', task: 'classify', input: material.fresh[1]!.input, repeat: 0 },
    ]);
    expect(fresh.map((each) => each.baselines)).toEqual([rows.map(readingOf), []]);
    expect(logged.map(({ probe, record: { sequence } }) => [probe.id, sequence])).toEqual([
      ['log/9', 9],
      ['log/3', 3],
    ]);
    expect(logged[0]).toMatchObject({
      baselines: [...rows.map(readingOf), readingLogs(record(9).clean)],
      replayBaselines: [readingOf(rows[1]!), readingLogs(record(9).clean)],
    });
    expect(logged[1]).not.toHaveProperty('replayBaselines');
    expect(coins.map(({ probe, record: { sequence } }) => [probe.id, sequence])).toEqual([
      ['log/3', 3],
      ['log/7', 7],
    ]);
    expect(regionLots).toMatchObject([{ lot: material.regionLots[0]!.lot }]);
    expect(regionLots[0]!.probes.map(({ id, input }) => [id, input])).toEqual([
      ['trap/region-0123456789abcdef/2/0', 'nah'],
      ['trap/region-0123456789abcdef/2/1', { shape: [2], data: Float32Array.of(0.5, -1) }],
    ]);
    const { records: _, ...shared } = context;
    expect(rest).toEqual(shared);
  });

  it('reads files of the version before, which knew no fingerprints', () => {
    const text = encodeMaterial(material).replace('audit-material@3', 'audit-material@2');
    expect(decodeMaterial(text, context)).toEqual(
      decodeMaterial(encodeMaterial(material), context),
    );
  });

  it('is the same text, and so has the same digest, for the same material', () => {
    const text = encodeMaterial(material);
    expect(encodeMaterial(material)).toBe(text);
    expect(materialDigest(text)).toMatch(/^sha256:[0-9a-f]{64}$/);
    const other = { ...material, logged: material.logged.toReversed() };
    expect(materialDigest(encodeMaterial(other))).not.toBe(materialDigest(text));
  });

  it('names a record that the log has no longer', () => {
    const erased = { ...context, records: [record(3), record(7)] };
    expect(() => decodeMaterial(encodeMaterial(material), erased)).toThrow(
      expect.objectContaining({
        code: 'PLAN_INVALID',
        exitCode: 2,
        message: 'the serving log no longer has record 9',
      }),
    );
  });

  it.each([
    ['another schema', '{"schema":"touchmark/audit-material@5","fresh":[],"logged":[]}', /schema/],
    ['a number for a text', encodeMaterial(material).replace(/"größer[^"]*"/, '7'), /fresh/],
    [
      'a baseline that is no base64',
      encodeMaterial(material).replace(/\["[^"]+"/, '["?"'),
      /baselines/,
    ],
    ['text that is no JSON', '{"schema":', /material/],
  ])('refuses %s', (_, text, message) => {
    expect(() => decodeMaterial(text, context)).toThrow(
      expect.objectContaining({ code: 'PLAN_INVALID', message: expect.stringMatching(message) }),
    );
  });
});
