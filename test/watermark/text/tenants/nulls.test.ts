import { describe, expect, it } from 'vitest';
import {
  attributionCases,
  attributionRows,
} from '../../../../scripts/calibrate/text-attribution.ts';
import { generateText, variedSource } from '../../../../scripts/calibrate/text-source.ts';
import { adjustedLowerBound } from '../../../../src/stats/bounds.ts';
import { tenantIdentifier } from '../../../../src/watermark/text/tenants/identifiers.ts';
import { TenantScreen } from '../../../../src/watermark/text/tenants/screen.ts';
import { openTenantWatermark } from '../../../../src/watermark/text/tenants/tenant-watermark.ts';
import { keyOf } from '../../fixtures.ts';
import { bits, tenantProfile } from './fixtures.ts';

/** The calibration in small: shorter texts and identifiers. */
const trials = 40;
const small = { tokens: 2000, identifierBits: 16 } as const;

describe('innocents beside tenants who are in the text', () => {
  const rows = attributionCases.flatMap((setting) =>
    attributionRows({ ...setting, ...small }, trials, 'nulls'),
  );

  it.each(rows)('$name: $count of $trials', ({ nominal, trials: all, count }) => {
    expect(adjustedLowerBound(count, all, 0.95, rows.length)).toBeLessThanOrEqual(nominal);
  });
});

describe('a student of three tenants', () => {
  const profile = tenantProfile({ common: 0, code: 16, own: 0 });
  const commonKey = keyOf('common');
  const identifiers = [3, 17, 40].map((index) => tenantIdentifier(index, bits));
  const markers = identifiers.map((identifier) =>
    openTenantWatermark(profile, { commonKey, identifier }).marker({ promptLength: 0 }),
  );
  const tokens = generateText(variedSource, 4000, 'student', {
    mark: (logits, context) => {
      for (const marker of markers) marker.mark(logits, context);
    },
  });
  const screen = new TenantScreen(profile, commonKey);
  screen.fold({ tokens, promptLength: 0 });

  it('scores the xor of the three as high as a tenant, and the screen says that nobody holds it', () => {
    const xor = identifiers.reduce((sum, identifier) => sum ^ identifier);
    const { leaders } = screen.screening(5);
    for (const identifier of identifiers) {
      expect(screen.score(identifier)).toMatchObject({ issued: true });
      expect(screen.score(identifier).log10PAdjusted).toBeLessThan(-6);
    }
    expect(screen.score(xor).log10PAdjusted).toBeLessThan(-6);
    expect(screen.score(xor).issued).toBe(false);
    expect(leaders.slice(0, 4).map(({ identifier }) => identifier)).toEqual(
      expect.arrayContaining([...identifiers, xor]),
    );
    expect(leaders[4]!.log10PAdjusted).toBeGreaterThan(-3);
  });

  it('scores the xor of two as it does a stranger', () => {
    expect(screen.score(identifiers[0]! ^ identifiers[1]!).log10P).toBeGreaterThan(-4);
  });
});
