import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { detectText } from '../../src/watermark/text/detect.ts';
import { parseTextProfile, textProfileSchema } from '../../src/watermark/text/profile.ts';
import { stackCompatibility } from '../../src/watermark/text/stack-compatibility.ts';
import { openTenantWatermark } from '../../src/watermark/text/tenants/tenant-watermark.ts';
import { openTextWatermark } from '../../src/watermark/text/watermark.ts';

const folder = join(import.meta.dirname, '../../docs/text-profiles');
const examples = readdirSync(folder).filter((name) => name !== 'schema.json');

describe('the examples of text profiles', () => {
  it.each(examples)('%s marks a text that is found, as its stack does', (name) => {
    const profile = parseTextProfile(JSON.parse(readFileSync(join(folder, name), 'utf8')), name);
    expect(stackCompatibility(profile)?.differences ?? []).toEqual([]);
    const [commonKey, ownKey] = [1, 2].map((byte) => new Uint8Array(32).fill(byte));
    const watermark = profile.tenants
      ? openTenantWatermark(profile, { commonKey: commonKey!, identifier: 3, ownKey: ownKey! })
      : openTextWatermark(profile, { stack: 'touchmark', epochKey: ownKey! });
    const tokens = Int32Array.from({ length: 80 }, (_, index) => index);
    const marker = watermark.marker({ promptLength: 8 });
    for (let at = 8; at < tokens.length; at++) {
      const logits = new Float32Array(profile.tokenizer.vocabularySize).fill(-Infinity);
      for (let option = 0; option < 20; option++)
        logits[at * 1_000 + 37 * option] = (option % 3) / 4;
      marker.mark(logits, tokens.subarray(0, at));
      tokens[at] = logits.indexOf(logits.reduce((most, logit) => Math.max(most, logit)));
    }
    const { log10P } = detectText(watermark, { tokens, promptLength: 8 });
    expect(log10P).toBeLessThan(-6);
  });

  it('follow the published JSON schema, which scripts/text-profile-schema.ts writes', () => {
    const published: unknown = JSON.parse(readFileSync(join(folder, 'schema.json'), 'utf8'));
    expect(published).toEqual(z.toJSONSchema(textProfileSchema));
  });
});
