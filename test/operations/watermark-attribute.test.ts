import { describe, expect, it } from 'vitest';
import { rotateKey } from '../../src/operations/keys.ts';
import { type AttributeOptions, attributeTexts } from '../../src/operations/watermark-attribute.ts';
import { detectTogether } from '../../src/operations/watermark-detect.ts';
import { parseTextProfile, type TextProfile } from '../../src/watermark/text/profile.ts';
import { tenantIdentifier } from '../../src/watermark/text/tenants/identifiers.ts';
import { openTenantWatermark } from '../../src/watermark/text/tenants/tenant-watermark.ts';
import { openTextWatermark } from '../../src/watermark/text/watermark.ts';
import { nativeProfile, randomText } from '../watermark/text/random-text.ts';
import { streamOf, type WatermarkScene, watermarkScene } from './watermark-scene.ts';

const onFailure = () => undefined;

function attribute(
  scene: WatermarkScene,
  profile: TextProfile,
  lines: readonly unknown[],
  options: Partial<AttributeOptions>,
) {
  const profilePath = scene.write('profile.json', profile);
  const { configPath } = scene;
  return attributeTexts(streamOf(lines), { configPath, profilePath, onFailure, ...options });
}

function lineOf(text: { tokens: Int32Array; promptLength: number }) {
  return { tokens: [...text.tokens], promptLength: text.promptLength };
}

describe('attribution by the independent keys of a ring', () => {
  const profile = nativeProfile({ scheme: { name: 'gumbel' }, repeats: 'turn' });
  const textOf = (scene: WatermarkScene, tenant: string, seed: string) =>
    lineOf(
      randomText(
        seed,
        60,
        500,
        openTextWatermark(profile, {
          stack: 'touchmark',
          epochKey: scene.ring.epochKey(tenant, 'e1'),
        }),
        [1, 2],
      ),
    );

  it('names who made the texts, in every epoch, and pays for all keys that were tried', async () => {
    const scene = await watermarkScene(['acme', 'umbrella']);
    const lines = [textOf(scene, 'acme', 'one'), textOf(scene, 'acme', 'two'), 'nonsense'];
    await rotateKey({ configPath: scene.configPath, tenant: 'acme' });
    const { accusations, ...rest } = await attribute(scene, profile, lines, { accuse: 'all' });
    expect(rest).toMatchObject({ texts: 2, failedLines: 1, leftOut: 0 });
    expect(rest).not.toHaveProperty('screening');
    const [first, ...others] = accusations!.tenants;
    expect(first).toMatchObject({ tenant: 'acme', epoch: 'e1' });
    expect(first!.log10P).toBeLessThan(-20);
    expect(first!.log10PAdjusted).toBeCloseTo(first!.log10P + Math.log10(4), 10);
    expect(first!.log10EAdjusted).toBeCloseTo(first!.log10E - Math.log10(4), 10);
    expect(others.map(({ tenant, epoch }) => `${tenant} ${epoch}`).sort()).toEqual([
      'acme e2',
      'example e1',
      'umbrella e1',
    ]);
    for (const { log10P } of others) expect(log10P).toBeGreaterThan(-4);
    expect(accusations!.someTenant.log10P).toBe(first!.log10PAdjusted);
  });

  it('tests those that are named only', async () => {
    const scene = await watermarkScene(['acme', 'umbrella']);
    const lines = [textOf(scene, 'acme', 'one')];
    const { accusations } = await attribute(scene, profile, lines, {
      accuse: ['umbrella', 'umbrella'],
    });
    expect(accusations?.tenants).toMatchObject([{ tenant: 'umbrella', epoch: 'e1' }]);
    expect(accusations!.tenants[0]!.log10P).toBeGreaterThan(-4);
  });

  it('leaves later texts out once its memory is full', async () => {
    const scene = await watermarkScene();
    const lines = Array.from({ length: 10 }, (_, index) => textOf(scene, 'example', `${index}`));
    const bounded = await attribute(scene, profile, lines, { accuse: 'all', mostPairs: 130 });
    expect(bounded.texts).toBe(10);
    expect(bounded.leftOut).toBeGreaterThan(300);
    expect(bounded.accusations!.scored + bounded.leftOut).toBeLessThanOrEqual(620);
  });

  it.each([
    ['nobody to accuse', {}, 'USAGE'],
    ['an unknown tenant', { accuse: ['nobody'] }, 'TENANT_UNKNOWN'],
    ['an empty list', { accuse: [] }, 'TENANT_UNKNOWN'],
  ])('refuses %s', async (_, options, code) => {
    const scene = await watermarkScene();
    const lines = [{ tokens: [1, 2, 3] }];
    await expect(attribute(scene, profile, lines, options)).rejects.toMatchObject({ code });
  });

  it('has nothing to say without a text', async () => {
    const scene = await watermarkScene();
    await expect(attribute(scene, profile, [], { accuse: 'all' })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
  });
});

describe('attribution by layers', () => {
  const profile = parseTextProfile(
    {
      schema: 'touchmark/text-profile@1',
      scheme: { name: 'green-list', gamma: 0.5, delta: 4 },
      prf: { name: 'native', contextWidth: 2 },
      repeats: 'mark',
      tenants: { identifierBits: 12, layers: { common: 4, code: 6, own: 6 } },
      tokenizer: { name: 'test', vocabularySize: 500 },
    },
    'the profile',
  );
  const tenants = ['everybody', 'acme', 'umbrella'];

  /** Numbers count the tenants of the ring but for the common one: example, acme, umbrella. */
  function textOf(scene: WatermarkScene, tenant: string, number: number) {
    const { ring } = scene;
    const mark = openTenantWatermark(profile, {
      commonKey: ring.epochKey('everybody', 'e1'),
      identifier: tenantIdentifier(number, 12),
      ownKey: ring.epochKey(tenant, 'e1'),
    });
    return lineOf(randomText(tenant, 500, 500, mark, [1, 2]));
  }

  it('screens all tenants, and accuses by own keys', async () => {
    const scene = await watermarkScene(tenants);
    const lines = [textOf(scene, 'umbrella', 2)];
    const found = await attribute(scene, profile, lines, {
      commonTenant: 'everybody',
      accuse: 'all',
    });
    expect(found.common!.log10P).toBeLessThan(-6);
    expect(found.screening!.best).toMatchObject({ tenant: 'umbrella', issued: true });
    expect(found.screening!.best.log10PAdjusted).toBeLessThan(-3);
    const [first, ...others] = found.accusations!.tenants;
    expect(first).toMatchObject({ tenant: 'umbrella', epoch: 'e1' });
    expect(first!.log10PAdjusted).toBeLessThan(-6);
    expect(others.map(({ tenant }) => tenant).sort()).toEqual(['acme', 'example']);
    for (const { log10P } of others) expect(log10P).toBeGreaterThan(-4);

    const screened = await attribute(scene, profile, lines, { commonTenant: 'everybody' });
    expect(screened.screening).toEqual(found.screening);
    expect(screened).not.toHaveProperty('accusations');
  });

  it('tries the epochs that were in use with the common one', async () => {
    const scene = await watermarkScene(tenants);
    const lines = [textOf(scene, 'acme', 1)];
    scene.ring.addEpoch('everybody', '2099-01-01T00:00:00.000Z');
    scene.ring.addEpoch('acme', '2099-02-01T00:00:00.000Z');
    await scene.ring.save();
    const tried = async (commonEpoch: string) => {
      const options = { commonTenant: 'everybody', commonEpoch, accuse: ['acme'] };
      const { accusations } = await attribute(scene, profile, lines, options);
      return accusations!.tenants.map(({ epoch }) => epoch).sort();
    };
    expect(await tried('e1')).toEqual(['e1']);
    expect(await tried('e2')).toEqual(['e1', 'e2']);
  });

  it('detects the mark of one tenant as a whole', async () => {
    const scene = await watermarkScene(tenants);
    const detect = (tenant: string) =>
      detectTogether(streamOf([textOf(scene, 'acme', 1)]), {
        configPath: scene.configPath,
        profilePath: scene.write('profile.json', profile),
        commonTenant: 'everybody',
        tenant,
        onFailure,
      });
    const [own, other] = [await detect('acme'), await detect('umbrella')];
    expect(own.log10P).toBeLessThan(other.log10P - 10);
  });

  it.each([
    ['no common tenant', {}, 'USAGE'],
    ['an unknown common tenant', { commonTenant: 'nobody' }, 'TENANT_UNKNOWN'],
    ['an unknown epoch', { commonTenant: 'everybody', commonEpoch: 'e5' }, 'EPOCH_UNKNOWN'],
    [
      'the common tenant as a suspect',
      { commonTenant: 'everybody', accuse: ['everybody'] },
      'INPUT_INVALID',
    ],
  ])('refuses %s', async (_, options, code) => {
    const scene = await watermarkScene(tenants);
    const lines = [{ tokens: [1, 2, 3] }];
    await expect(attribute(scene, profile, lines, options)).rejects.toMatchObject({ code });
  });
});
