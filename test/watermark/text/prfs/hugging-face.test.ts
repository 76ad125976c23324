import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { log10BinomialUpperTail } from '../../../../src/stats/tails/binomial.ts';
import { detectText } from '../../../../src/watermark/text/detect.ts';
import { permutationStart } from '../../../../src/watermark/text/prfs/torch-generator.ts';
import { reportedElsewhere } from '../../../../src/watermark/text/reported-elsewhere.ts';
import { randomText } from '../random-text.ts';
import { argMax, type GreenSettings, greenWatermark, stackProfile, textVectors } from './stacks.ts';

interface Lists extends GreenSettings {
  readonly size: number;
  readonly windows: readonly { window: number[]; first: number[]; sha256: string }[];
}

interface Generation extends GreenSettings {
  readonly bias: number;
  readonly prompt: number[];
  readonly steps: readonly { eighths: number[]; raised: number[] }[];
  readonly tokens: number[];
}

interface Detection extends GreenSettings {
  readonly tokens: number[];
  readonly scored: number;
  readonly green: number;
  readonly z: number;
  readonly p: number;
  readonly pSince5_24: number;
}

const vectors = textVectors<{
  lists: Lists[];
  generations: Generation[];
  detections: Detection[];
}>('hugging-face');

const small: GreenSettings = {
  seeding: 'lefthash',
  contextWidth: 1,
  hashingKey: '15485863',
  vocabulary: 20,
  ratio: 0.25,
};

function greenIds(list: Uint8Array): number[] {
  return [...list.keys()].filter((token) => list[token] === 1);
}

describe('the green lists of transformers', () => {
  it.each(
    vectors.lists.filter(({ seeding }) => seeding === 'lefthash'),
  )('are those of lefthash with key $hashingKey over $vocabulary tokens, width $contextWidth', (each) => {
    const source = greenWatermark(each).prf.green(each.ratio);
    expect(source.share).toBe(each.size / each.vocabulary);
    for (const { window, sha256 } of each.windows) {
      const ids = greenIds(source.list(Int32Array.from(window), each.vocabulary));
      expect(createHash('sha256').update(ids.join()).digest('hex')).toBe(sha256);
    }
  });

  it.each(
    vectors.lists,
  )('hold the tokens that $seeding puts first: key $hashingKey, $vocabulary tokens', (each) => {
    const { prf, rules } = greenWatermark(each);
    const { width } = rules.context;
    const source = prf.green(each.ratio);
    for (const { window, first } of each.windows) {
      const own = each.seeding === 'selfhash' ? window.slice(-1) : first;
      const isOwnFirst = each.seeding === 'lefthash' || first.includes(window.at(-1)!);
      const context = each.seeding === 'selfhash' ? window.slice(0, -1) : window;
      const contexts = Int32Array.from(own.flatMap(() => context));
      const pairs = { count: own.length, width, contexts, tokens: Int32Array.from(own) };
      if (isOwnFirst) expect([...source.bits(pairs)]).toEqual(own.map(() => 1));
      if (each.seeding === 'lefthash') continue;
      const seed = prf.effectiveInputs?.(pairs).rows[0] ?? 0;
      expect(firstOfSeed(seed, each)).toEqual(first);
    }
  });

  it('are seeded as the values of the parity page say', () => {
    const { prf } = greenWatermark({
      ...small,
      seeding: 'selfhash',
      contextWidth: 4,
      vocabulary: 1000,
    });
    const pairs = {
      count: 1,
      width: 3,
      contexts: Int32Array.of(100, 200, 300),
      tokens: Int32Array.of(400),
    };
    const { rows } = prf.effectiveInputs!(pairs);
    expect(rows[0]! >>> 0).toBe(Number(9794865344782843662n % 2n ** 32n));
    const list = greenWatermark(small).prf.green(0.25).list(Int32Array.of(10), 20);
    expect(greenIds(list)).toEqual([1, 4, 9, 12, 15]);
  });
});

function firstOfSeed(seed: number, { vocabulary, size }: Lists): number[] {
  return [...permutationStart(seed, vocabulary, Math.min(3, size))];
}

describe('transformers', () => {
  it.each(
    vectors.generations,
  )('raises the same logits at every step: $seeding, width $contextWidth', ({
    prompt,
    steps,
    tokens,
    ...settings
  }) => {
    const marker = greenWatermark(settings).marker({ promptLength: prompt.length });
    const sequence = [...prompt];
    for (const { eighths, raised } of steps) {
      const logits = Float32Array.from(eighths, (eighth) => eighth / 8);
      const plain = logits.slice();
      marker.mark(logits, Int32Array.from(sequence));
      const up = [...logits.keys()].filter((token) => logits[token]! > plain[token]!);
      expect(up).toEqual(raised);
      sequence.push(argMax(logits));
    }
    expect(sequence).toEqual(tokens);
  });

  it.each(
    vectors.detections,
  )('would print its own z and p: $seeding, width $contextWidth, z = $z', ({
    tokens,
    scored,
    green,
    z,
    p,
    pSince5_24,
    ...settings
  }) => {
    const watermark = greenWatermark(settings);
    const text = { tokens: Int32Array.from(tokens), promptLength: 0 };
    const report = reportedElsewhere(watermark, text)!;
    expect(report.values).toMatchObject({ scored, green });
    expect(report.values['z']).toBeCloseTo(z, 12);
    expect(report.values['p']).toBeCloseTo(p, 14);
    expect(report.values['pSince5_24']! / pSince5_24).toBeCloseTo(1, 9);
    const detection = detectText(watermark, text);
    expect(detection.scored).toBe(distinctWindows(settings, tokens));
    expect(detection.log10P).toBe(
      log10BinomialUpperTail(detection.total, detection.scored, 75 / 300),
    );
  });

  it('prints 0 for a p of 6e-16, and 17.7 times too little at z = 6', () => {
    const wrong = (z: number) =>
      1 - 0.5 * (1 + Math.sign(z) * (1 - Math.exp((-2 * z ** 2) / Math.PI)));
    expect(wrong(8)).toBe(0);
    expect(9.865876450376946e-10 / wrong(6)).toBeCloseTo(17.7, 0);
  });

  it('refuses texts that have no token to score, and so prints nothing', () => {
    const text = { tokens: Int32Array.of(3), promptLength: 0 };
    expect(reportedElsewhere(greenWatermark(small), text)!.values).toEqual({});
  });
});

/** Distinct (last token, token) pairs for lefthash; distinct windows for selfhash. */
function distinctWindows(settings: GreenSettings, tokens: readonly number[]): number {
  const { seeding, contextWidth } = settings;
  const { prf, rules } = greenWatermark(settings);
  const seen = new Set<string>();
  for (let at = rules.context.width; at < tokens.length; at++) {
    const window = tokens.slice(at - rules.context.width, at + 1);
    const pairs = {
      count: 1,
      width: rules.context.width,
      contexts: Int32Array.from(window.slice(0, -1)),
      tokens: Int32Array.of(tokens[at]!),
    };
    if (seeding === 'lefthash') seen.add(tokens.slice(at - 1, at + 1).join());
    else seen.add(`${prf.effectiveInputs!(pairs).rows[0]}:${tokens[at]}`);
  }
  expect(rules.context.width).toBe(seeding === 'lefthash' ? contextWidth : contextWidth - 1);
  return seen.size;
}

describe('a green list of ours over them', () => {
  it.each([
    ['lefthash', 1],
    ['selfhash', 3],
  ] as const)('is found by %s, and only under its key', (seeding, contextWidth) => {
    const settings = { ...small, seeding, contextWidth, vocabulary: 400, bias: 3 };
    const watermark = greenWatermark(settings);
    const text = randomText('hugging-face', 150, 400, watermark, [1, 2, 3, 4]);
    expect(detectText(watermark, text).log10P).toBeLessThan(-8);
    const other = greenWatermark({ ...settings, hashingKey: '15485867' });
    expect(detectText(other, text).log10P).toBeGreaterThan(-4);
  });

  it('reads one token of the context with lefthash, however wide it is', () => {
    const wide = greenWatermark({ ...small, contextWidth: 3 });
    const tokens = Int32Array.of(1, 2, 3, 4, 9, 9, 3, 4, 8, 8, 3, 4);
    expect(detectText(wide, { tokens, promptLength: 0 }).skipped['repeated pair']).toBe(2);
  });

  it('leaves as few tokens unmarked as transformers does', () => {
    const watermark = greenWatermark({ ...small, seeding: 'selfhash', contextWidth: 3 });
    const marker = watermark.marker({ promptLength: 0 });
    for (const [length, isMarked] of [
      [2, false],
      [3, true],
    ] as const) {
      const logits = new Float32Array(20);
      marker.mark(logits, new Int32Array(length));
      expect(logits.some((logit) => logit !== 0)).toBe(isMarked);
    }
  });

  it('takes any tokens and logits', () => {
    const watermarks = [greenWatermark(small), greenWatermark({ ...small, seeding: 'selfhash' })];
    const token = fc.integer({ min: -5, max: 30 });
    const logit = fc.oneof(fc.float(), fc.constantFrom(Number.NaN, -Infinity, Infinity));
    fc.assert(
      fc.property(fc.array(token), fc.array(logit, { maxLength: 40 }), (ids, values) => {
        for (const watermark of watermarks) {
          const tokens = Int32Array.from(ids);
          const { log10P, scored } = detectText(watermark, { tokens, promptLength: 0 });
          expect(log10P).toBeLessThanOrEqual(0);
          expect(scored).toBeLessThanOrEqual(ids.length);
          const logits = Float32Array.from(values);
          watermark.marker({ promptLength: 0 }).mark(logits, tokens);
          for (let at = 20; at < values.length; at++) {
            expect(logits[at]).toBe(Math.fround(values[at]!));
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it('refuses keys that torch refuses, lists without a token, and other schemes', () => {
    const refused = (settings: Partial<GreenSettings>) => () =>
      greenWatermark({ ...small, ...settings });
    const error = expect.objectContaining({ code: 'CONFIG_INVALID' });
    expect(refused({ hashingKey: '18446744073709551616' })).toThrow(error);
    expect(refused({ hashingKey: '9223372036854775808', seeding: 'selfhash' })).toThrow(error);
    expect(refused({ hashingKey: '9223372036854775808' })).not.toThrow();
    expect(refused({ ratio: 0.04 })).toThrow(error);
    const prf = { name: 'hugging-face', seeding: 'lefthash', contextWidth: 1 } as const;
    expect(() => stackProfile(prf, { name: 'gumbel' }, 'mark', 20)).toThrow(/green-list only/);
  });
});
