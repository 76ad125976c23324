import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readProfile, requireProfileLabels, writeProfile } from '../../src/store/profile-file.ts';
import type { ClassifierProfile } from '../../src/watermark/classifier-profile.ts';
import { temporaryDirectory } from './directory.ts';

const profile: ClassifierProfile = {
  schema: 'touchmark/classifier-profile@2',
  labels: ['en', 'de'],
  features: { kind: 'tensor', shape: [2], mean: [0.1, 1 / 3], deviation: [1, 0] },
  markedClasses: [0, 1],
  linearCarriers: 8,
  fourierCarriers: 0,
  bandwidth: 0.5,
  smoothStrength: 0.3,
  perQueryStrength: 0.1,
  marginThreshold: 0.05,
  freshPool: `sha256:${'0'.repeat(64)}`,
};

it('gives back what was written, to the last bit, and nothing where nothing was', async () => {
  const path = join(temporaryDirectory(), 'deep', 'profile.json');
  expect(await readProfile(path)).toBeUndefined();
  await writeProfile(path, profile);
  expect(await readProfile(path)).toEqual(profile);
  const earlier: ClassifierProfile = { ...profile, schema: 'touchmark/classifier-profile@1' };
  await writeProfile(path, earlier);
  expect(await readProfile(path)).toEqual(earlier);
});

it.each([
  ['cut short', (text: string) => text.slice(0, -20), /is no touchmark\/classifier-profile@2/],
  ['edited', (text: string) => text.replace('"bandwidth"', '"width"'), /bandwidth|top level/],
  ['newer', (text: string) => text.replace('profile@2', 'profile@3'), /says .*profile@3/],
  ['out of range', (text: string) => text.replace('0.05', '-1'), /marginThreshold/],
])('refuses a profile that is %s', async (_, spoil, message) => {
  const path = join(temporaryDirectory(), 'profile.json');
  await writeProfile(path, profile);
  writeFileSync(path, spoil(readFileSync(path, 'utf8')));
  await expect(readProfile(path)).rejects.toMatchObject({
    code: 'STORE_DAMAGED',
    message: expect.stringMatching(message),
  });
});

it.each([
  [['en', 'fr'], /label 1 being "de"; the model has "fr"/],
  [['en'], /label 1 being "de"; the model has nothing/],
  [['de', 'en'], /label 0 being "en"; the model has "de"/],
])('refuses a model with the labels %j', (labels, message) => {
  expect(() => requireProfileLabels('p.json', profile, labels)).toThrow(message);
  expect(() => requireProfileLabels('p.json', profile, profile.labels)).not.toThrow();
});
