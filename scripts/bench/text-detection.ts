import { createHash } from 'node:crypto';
import { seededRandom } from '../../src/stats/sampling.ts';
import { TextDetector } from '../../src/watermark/text/detect.ts';
import type { TextProfile } from '../../src/watermark/text/profile.ts';
import { TenantScreen } from '../../src/watermark/text/tenants/screen.ts';
import type { TokenText } from '../../src/watermark/text/token-pairs.ts';
import { openTextWatermark } from '../../src/watermark/text/watermark.ts';
import { interleavedMicroseconds } from './interleaved.ts';
import type { BenchRow } from './measure.ts';

const vocabularySize = 131_072;
const epochKey = createHash('sha256').update('bench').digest();
const longText = 100_000;
const shortText = 1000;

/** What detection under one key costs, and what screening 2^20 identifiers does. */
export function benchTextDetection(): readonly BenchRow[] {
  const texts = { short: textOf(shortText), long: textOf(longText) };
  const time = interleavedMicroseconds({
    half: { call: detecting(0.5, texts.short), times: 20 },
    quarter: { call: detecting(0.25, texts.short), times: 20 },
    longHalf: { call: detecting(0.5, texts.long), times: 1 },
    longQuarter: { call: detecting(0.25, texts.long), times: 1 },
    copy: { call: () => texts.long.tokens.slice(), times: 20 },
  });
  const copyRate = longText / time.copy;
  const row = (name: string, tokens: number, microseconds: number): BenchRow => ({
    name,
    value: tokens / microseconds,
    unit: 'million tokens per second, collected, de-duplicated and scored',
    ratio: tokens / microseconds / copyRate,
    against: `copying the tokens: ${copyRate.toFixed(0)} million per second`,
  });
  return [
    row('text/detect', shortText, time.half),
    row('text/detect-quarter', shortText, time.quarter),
    row('text/detect-long', longText, time.longHalf),
    row('text/detect-quarter-long', longText, time.longQuarter),
    ...benchAttribution(texts.short, time.half),
  ];
}

function benchAttribution(text: TokenText, detection: number): readonly BenchRow[] {
  const coded = profileOf(0.5, { identifierBits: 20, layers: { common: 0, code: 16, own: 0 } });
  const { screen: value } = interleavedMicroseconds({
    screen: {
      call: () => {
        const screen = new TenantScreen(coded, epochKey);
        screen.fold(text);
        return screen.screening();
      },
      times: 1,
    },
  });
  return [
    {
      name: 'text/attribute/2^20x1000',
      value: value / 1000,
      unit: 'milliseconds for all 2^20 identifiers and 1000 tokens',
      ratio: value / detection,
      against: `detection under one key: ${(detection / 1000).toFixed(3)} milliseconds`,
    },
  ];
}

function detecting(gamma: number, text: TokenText): () => void {
  const watermark = openTextWatermark(profileOf(gamma), { stack: 'touchmark', epochKey });
  return () => new TextDetector(watermark).fold(text);
}

function profileOf(gamma: number, tenants?: TextProfile['tenants']): TextProfile {
  return {
    schema: 'touchmark/text-profile@1',
    scheme: { name: 'green-list', gamma, delta: 2 },
    prf: { name: 'native', contextWidth: 2 },
    repeats: 'mark',
    tokenizer: { name: 'bench', vocabularySize },
    ...(tenants && { tenants }),
  };
}

function textOf(length: number): TokenText {
  const random = seededRandom('bench');
  const tokens = Int32Array.from({ length }, () => random.integer(vocabularySize));
  return { tokens, promptLength: 0 };
}
