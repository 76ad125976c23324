import { createHash } from 'node:crypto';
import type { ClassifierProfile } from '../../src/watermark/classifier-profile.ts';

export function keyOf(name: string): Buffer {
  return createHash('sha256').update(name).digest();
}

/** A small text profile; `overrides` replace parts of it. */
export function textProfile(overrides: Partial<ClassifierProfile> = {}): ClassifierProfile {
  return {
    schema: 'touchmark/classifier-profile@2',
    labels: ['a', 'b', 'c', 'd'],
    features: { kind: 'text', ngrams: { dimensions: 256, shortest: 1, longest: 3, seed: 0 } },
    markedClasses: [0, 1, 3],
    linearCarriers: 24,
    fourierCarriers: 8,
    bandwidth: 0.6,
    smoothStrength: 0.4,
    perQueryStrength: 0.2,
    marginThreshold: 0.2,
    ...overrides,
  };
}
