import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packAnswers, unpackAnswers } from '../../src/fingerprints/classifier-answers.ts';
import {
  type ClassifierFingerprint,
  classifierFingerprintSchema,
} from '../../src/fingerprints/fingerprint.ts';
import { type ClassifierProbeSet, probeSetId } from '../../src/fingerprints/probe-set.ts';
import { compareStored } from '../../src/operations/fingerprints/compare.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { FingerprintStore } from '../../src/store/fingerprints.ts';
import { type BenchRow, median } from './measure.ts';

const questions = 10_000;
const classes = 30;
const rounds = 7;

/** What comparing two fingerprints in files costs, against reading the numbers in them. */
export async function benchFingerprints(): Promise<readonly BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), 'touchmark-bench-'));
  try {
    const store = new FingerprintStore(join(directory, 'fingerprints'));
    const probes = probeSet();
    const set = await store.saveProbeSet(probes);
    const one = await store.saveFingerprint(fingerprintOf('one', probes));
    const two = await store.saveFingerprint(fingerprintOf('two', probes));
    const [configPath, place] = ['touchmark.yaml', process.cwd()];
    process.chdir(directory);
    const compared = await milliseconds(async () => {
      await compareStored({ now: () => new Date(), configPath, one: one.path, two: two.path });
    });
    process.chdir(place);
    const read = await milliseconds(async () => {
      for (const { path } of [set, one, two]) {
        const document: unknown = JSON.parse(await readFile(path, 'utf8'));
        if (path !== set.path) unpackAnswers((document as ClassifierFingerprint).answers);
      }
    });
    return [
      {
        name: 'fingerprints/compare',
        value: compared,
        unit: `milliseconds, ${questions} questions with probabilities of ${classes} labels`,
        ratio: compared / read,
        against: `reading, parsing and unpacking the files alone: ${read.toFixed(1)} milliseconds`,
      },
    ];
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function milliseconds(work: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  await work();
  for (let round = 0; round < rounds; round += 1) {
    const begun = performance.now();
    await work();
    times.push(performance.now() - begun);
  }
  return median(times);
}

function probeSet(): ClassifierProbeSet {
  return {
    schema: 'touchmark/probe-set@1',
    task: 'classify',
    name: 'bench',
    labels: Array.from({ length: classes }, (_, label) => `label ${label}`),
    questions: Array.from({ length: questions }, (_, index) => ({
      input: `a question of some forty characters, ${index}`,
      expected: index % classes,
      ...(index % 5 === 0 && { slices: ['hard' as const] }),
      ...(index % 5 === 1 && { slices: ['rare' as const] }),
    })),
    pairs: Array.from({ length: 1000 }, (_, index) => [index, index + 1001] as [number, number]),
    depth: 6,
    repeated: 32,
    timed: 16,
  };
}

function fingerprintOf(name: string, probes: ClassifierProbeSet): ClassifierFingerprint {
  const random = seededRandom(name);
  const probabilities = new Float32Array(questions * classes);
  for (let row = 0; row < questions; row += 1) {
    const shares = Float64Array.from({ length: classes }, () => -Math.log(random.uniform()));
    shares[row % classes]! += 3;
    const total = shares.reduce((sum, share) => sum + share, 0);
    probabilities.set(
      shares.map((share) => share / total),
      row * classes,
    );
  }
  const labels = Int16Array.from({ length: questions }, (_, row) => {
    const shares = probabilities.subarray(row * classes, (row + 1) * classes);
    return shares.indexOf(Math.max(...shares));
  });
  return classifierFingerprintSchema.parse({
    schema: 'touchmark/fingerprint@1',
    task: 'classify',
    model: { name, version: null, address: null },
    probeSet: probeSetId(probes),
    takenAt: '2026-01-01T00:00:00Z',
    toolkit: 'bench',
    labels: probes.labels,
    outcomes: { answered: questions, refused: 0, failed: 0, unsupported: 0, outside: 0 },
    answers: packAnswers({
      labels,
      probabilities,
      again: labels.subarray(0, probes.repeated),
      crossings: Float32Array.from(probes.pairs, () => random.uniform()),
      milliseconds: Float32Array.from({ length: 3 * probes.timed }, () => 1 + random.uniform()),
    }),
  });
}
