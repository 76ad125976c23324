import { beforeAll, describe, expect, it } from 'vitest';
import { readTextCorpus } from '../../../scripts/text-corpus.ts';
import {
  outputOf,
  promptLength,
  Scene,
  type SchemeCase,
  schemeCases,
} from '../../../scripts/text-power/scenes.ts';
import { trainKneserNey } from '../../../src/models/language/kneser-ney.ts';
import { detectText, TextDetector } from '../../../src/watermark/text/detect.ts';

const texts = 5;
let scene: Scene;

beforeAll(async () => {
  scene = new Scene(await readTextCorpus(), 'power in the suite');
});

/** Texts under keys of their own; log10 of p and E of each. */
async function detections({ name, scheme }: SchemeCase, length: number, marked: boolean) {
  const found: { log10P: number; log10E: number }[] = [];
  for (const [index, prompt] of scene.prompts(texts, name).entries()) {
    const watermark = scene.watermark(scheme, `${name}/${index}`);
    const marker = () => watermark.marker({ promptLength });
    const said = await scene.texts(
      scene.model,
      [prompt],
      length,
      name,
      marked ? marker : undefined,
    );
    found.push(detectText(watermark, said[0]!));
  }
  return found;
}

describe.each(schemeCases)('$name on the n-gram model', (schemeCase) => {
  const { bar = 160 } = schemeCase;

  it('is found in most texts of the length that it should take', async () => {
    const found = await detections(schemeCase, Math.floor(1.3 * bar), true);
    expect(found.filter(({ log10P }) => log10P < -6).length).toBeGreaterThanOrEqual(4);
    expect(found.filter(({ log10E }) => log10E >= 6).length).toBeGreaterThanOrEqual(4);
  });

  it('is not found in unmarked text', async () => {
    for (const { log10P, log10E } of await detections(schemeCase, 150, false)) {
      expect(log10P).toBeGreaterThan(-3);
      expect(log10E).toBeLessThan(3);
    }
  });
});

describe('a student of 4,000 tokens', () => {
  it('shows the mark of its lessons, and no other key', async () => {
    const { name, scheme } = schemeCases.find((each) => each.name === 'gumbel')!;
    const watermark = scene.watermark(scheme, name);
    const lessons = await scene.texts(scene.model, scene.prompts(20, name), 200, name, () =>
      watermark.marker({ promptLength }),
    );
    const student = trainKneserNey(lessons.map(outputOf), {
      vocabularySize: scene.model.vocabularySize,
    });
    const own = await scene.texts(student, scene.prompts(5, `${name}/own`), 100, 'own');
    const log10P = (key: string) => {
      const detector = new TextDetector(scene.watermark(scheme, key));
      for (const text of own) detector.fold(text);
      return detector.detection().log10P;
    };
    expect(log10P(name)).toBeLessThan(-6);
    expect(log10P('another key')).toBeGreaterThan(-3);
  });
});
