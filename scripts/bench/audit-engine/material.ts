import { createHash } from 'node:crypto';
import { type AuditMaterial, freshProbe, loggedProbe } from '../../../src/audit/material.ts';
import type { ServedRecord } from '../../../src/contracts.ts';
import { classifierKeys } from '../../../src/keys/classifier-keys.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import type { ClassifierProfile } from '../../../src/watermark/classifier-profile.ts';
import { readingLogs } from '../../../src/watermark/probability/alignment.ts';
import { softmax, topTwo } from '../../../src/watermark/probability/distribution.ts';

export const labels = Array.from({ length: 25 }, (_, index) => `label ${index}`);

const profile: ClassifierProfile = {
  schema: 'touchmark/classifier-profile@2',
  labels,
  features: { kind: 'text', ngrams: { dimensions: 1024, shortest: 1, longest: 3, seed: 0 } },
  markedClasses: labels.flatMap((_, index) => (index % 2 === 0 ? [index] : [])),
  linearCarriers: 128,
  fourierCarriers: 128,
  bandwidth: 0.6,
  smoothStrength: 0.4,
  perQueryStrength: 0.2,
  marginThreshold: 0.05,
};

/** Fresh questions at most, as audits ask by default. */
const mostFresh = 6000;

/** An audit of so many questions of 40 to 80 characters, some fresh and the others from a log. */
export function materialOf(probes: number): AuditMaterial {
  const random = seededRandom('material');
  const fresh = Math.min(mostFresh, Math.floor(probes / 4));
  const clean = () => softmax(Float64Array.from(labels, () => 2 * random.normal()));
  const question = (index: number) => {
    const words = Array.from({ length: 8 }, () => random.integer(2 ** 24).toString(36));
    return `${index} ${words.join(' ')}`;
  };
  const logged = Array.from({ length: probes - fresh }, (_, sequence) => {
    const row = clean();
    const record: ServedRecord = {
      ...{ sequence, tenant: 'tenant', epoch: 'epoch', servedAt: '2026-01-01T00:00:00.000Z' },
      ...{ modelVersion: '1', input: question(sequence), clean: [...row], served: [...row] },
      ...{ label: topTwo(row)[0], marks: { probability: true } },
    };
    return { probe: loggedProbe(record), record, baselines: [readingLogs(row)] };
  });
  return {
    profile,
    keys: classifierKeys(createHash('sha256').update('bench').digest()),
    epochCommitment: `sha256:${'0'.repeat(64)}`,
    logged,
    fresh: Array.from({ length: fresh }, (_, index) => ({
      probe: freshProbe(index, question(-index)),
      baselines: [readingLogs(clean())],
    })),
    coins: logged.filter(({ record: { clean: row } }) => {
      const [top, second] = topTwo(row);
      return row[top]! - row[second]! < profile.marginThreshold;
    }),
    regionLots: [],
    questionsNotChosenFromAnswers: false,
    referencesExchangeable: false,
  };
}
