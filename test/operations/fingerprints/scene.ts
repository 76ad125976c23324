import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ClassifierFingerprint,
  fingerprintSchema,
} from '../../../src/fingerprints/fingerprint.ts';
import type { ClassifierProbeSet } from '../../../src/fingerprints/probe-set.ts';
import { takeFingerprint } from '../../../src/operations/fingerprints/take.ts';
import type { TakenFingerprint } from '../../../src/operations/fingerprints/taking.ts';
import { FingerprintStore } from '../../../src/store/fingerprints.ts';
import { labels, ngramModel, sentences } from '../audit-scene.ts';
import { tinyProject } from '../tiny-project.ts';

const truth = ngramModel(0.3, 'truth');

/** The place of the largest number. */
export function topOf(row: ArrayLike<number>): number {
  const values = Array.from(row);
  return values.indexOf(Math.max(...values));
}

/** Made-up sentences for a classifier of trees. */
export function treeProbes(
  questions = 120,
  more: Partial<ClassifierProbeSet> = {},
): ClassifierProbeSet {
  return {
    schema: 'touchmark/probe-set@1',
    task: 'classify',
    name: 'trees',
    labels,
    questions: sentences(questions, 'fingerprints').map((input, index) => ({
      input,
      expected: topOf(truth(input)),
      ...(index % 5 === 0 && { slices: ['hard' as const] }),
      ...(index % 7 === 0 && { slices: ['rare' as const] }),
    })),
    pairs: Array.from({ length: questions / 6 }, (_, index) => [index, questions - 1 - index]),
    depth: 6,
    repeated: Math.floor(questions / 4),
    timed: 8,
    ...more,
  };
}

/** A project whose fingerprints are of trees, and how to take them. */
export async function fingerprintProject(
  probes: ClassifierProbeSet,
  replacements: Readonly<Record<string, string>> = {},
) {
  const { directory, configPath } = await tinyProject(replacements);
  const store = new FingerprintStore(join(directory, 'fingerprints'));
  await store.saveProbeSet(probes);
  const take = (suspect: string, name?: string): Promise<TakenFingerprint> =>
    takeFingerprint({
      configPath,
      suspect,
      ...(name !== undefined && { name }),
      now: () => new Date(),
      signal: AbortSignal.timeout(60_000),
    });
  return { directory, configPath, store, take };
}

/** What the file of a fingerprint holds. */
export function fingerprintIn({ path }: Pick<TakenFingerprint, 'path'>): ClassifierFingerprint {
  const found = fingerprintSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  if (found.task !== 'classify') throw new Error('not of a classifier');
  return found;
}
