import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadProtectedNetwork } from '../../../../scripts/demo/traps/protected-network.ts';
import {
  demonstrationSealingKey,
  shippedSetPath,
  splitsSeed,
} from '../../../../scripts/demo/traps/shipped-set.ts';
import { drawTextSplits } from '../../../../scripts/demo/traps/splits.ts';
import { verifyShippedSet } from '../../../../src/operations/traps/verify.ts';
import { regionStatistic } from '../../../../src/traps/kinds/region.ts';
import { openTrapSet } from '../../../../src/traps/seal.ts';

const text = readFileSync(shippedSetPath, 'utf8');
const opened = openTrapSet(text, 'the shipped set', undefined);
const { set } = opened;
if (set.kind !== 'region') throw new Error('the shipped set holds other traps than region traps');

describe('the shipped set of region traps', () => {
  it('fits its own root, by every command that looks', async () => {
    const verified = await verifyShippedSet('language-identification');
    expect(verified).toMatchObject({ valid: true, problems: [] });
    expect(verified.fine[0]).toContain(opened.seal.root);
  });

  it('opens under the public key of the demonstration, and no longer when a trap is changed', () => {
    expect(openTrapSet(text, 'it', demonstrationSealingKey)).toEqual(opened);
    const edited = structuredClone(opened);
    if (edited.set.kind === 'region') edited.set.lots[0]!.traps[0]!.label = 'xx';
    expect(() => openTrapSet(JSON.stringify(edited), 'it', undefined)).toThrow(/was changed/);
  });

  it('is small, and its lots are of one size', () => {
    expect(text.length).toBeLessThan(300_000);
    expect(set.lots.length).toBeGreaterThanOrEqual(4);
    const [first] = set.lots;
    expect(first!.traps.length).toBeGreaterThanOrEqual(16);
    for (const { traps } of set.lots) expect(traps).toHaveLength(first!.traps.length);
  });

  it('has the answers of the protected network, which thus ranks above all references', () => {
    const identify = loadProtectedNetwork();
    for (const lot of set.lots) {
      const answers = lot.traps.map(({ input }) => identify(String(input)).label ?? undefined);
      expect(answers).toEqual(lot.traps.map(({ label }) => label));
      const { same, other } = lot.calibration;
      expect(regionStatistic(lot, answers)).toBeGreaterThan(Math.max(...same, ...other));
    }
  });

  it('shows no question of the attacker and no two traps that are equal', () => {
    const inputs = set.lots.flatMap(({ traps }) => traps.map(({ input }) => input));
    expect(new Set(inputs).size).toBe(inputs.length);
    const { attacker, traffic } = drawTextSplits(splitsSeed);
    const asked = new Set([...attacker, ...traffic].map((snippet) => snippet.text));
    expect(inputs.filter((input) => asked.has(String(input)))).toEqual([]);
  });

  it('uses each reference for one thing', () => {
    const parts = Object.values(set.references).map((models) => models.map(({ name }) => name));
    expect(new Set(parts.flat()).size).toBe(parts.flat().length);
    for (const kind of ['same', 'other'] as const) {
      const calibrating = set.references.calibrate.filter(({ data }) => data === kind);
      for (const lot of set.lots) expect(lot.calibration[kind]).toHaveLength(calibrating.length);
    }
  });
});

describe('loadProtectedNetwork', () => {
  it('is right on most sentences that it never saw', () => {
    const identify = loadProtectedNetwork();
    expect(identify('Alle Menschen sind frei und gleich an Würde')).toMatchObject({ label: 'de' });
    const { probabilities } = identify('Everyone has the right to life, liberty');
    expect(Array.from(probabilities!).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9);
  });
});
