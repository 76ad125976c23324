import { conductTextAudit } from '../../../src/audit/conduct-text.ts';
import { provenanceScore } from '../../../src/audit/score.ts';
import { parseTextProfile, type TextProfile } from '../../../src/watermark/text/profile.ts';
import { openTextWatermark } from '../../../src/watermark/text/watermark.ts';
import {
  asLanguageModel,
  sceneProfile,
  signal,
  textMaterial,
} from '../../../test/audit/text-scene.ts';
import type { AuditScene, Innocent } from './audit-suspects.ts';
import {
  adaptive,
  echoing,
  plain,
  repetitive,
  stopWhenAhead,
  type TextTenant,
} from './audit-tenants.ts';
import { keyFor } from './cases.ts';
import { type Counts, count } from './counts.ts';
import type { Block } from './trials.ts';

/** A kind of tenant and a kind of innocent, put to all text tests. */
export interface AuditCase {
  readonly name: string;
  readonly tenant: TextTenant;
  readonly innocent: Innocent;
  readonly profile: TextProfile;
  /** Most places of the log that are read; 40 unless the log's length is to decide. */
  readonly readings?: number;
}

const greenList = sceneProfile({ name: 'green-list', gamma: 0.25, delta: 3 });
const prompts = 3;
/** Its lists follow the last token alone, so that what it reads returns where contexts are new. */
const lastTokenList = parseTextProfile(
  { ...greenList, prf: { name: 'hugging-face', seeding: 'lefthash', contextWidth: 2 } },
  'a case of the calibration',
);
const usualReadings = 40;
const allReadings = 1000;
const ratesP = [0.05, 0.01] as const;
const largeE = 20;

/** Every kind of tenant and innocent under a green list, and the other schemes at their hardest. */
export const auditCases: readonly AuditCase[] = [
  { name: 'plain tenant', tenant: plain, innocent: 'independent', profile: greenList },
  { name: 'adaptive tenant', tenant: adaptive, innocent: 'independent', profile: greenList },
  { name: 'repetitive tenant', tenant: repetitive, innocent: 'independent', profile: greenList },
  {
    name: 'stop-when-ahead tenant',
    tenant: stopWhenAhead,
    innocent: 'independent',
    profile: greenList,
    readings: allReadings,
  },
  {
    name: "student of another key's text",
    tenant: plain,
    innocent: "student of another key's text",
    profile: greenList,
  },
  {
    name: 'adaptive tenant, copying suspect',
    tenant: adaptive,
    innocent: 'copies what it is shown',
    profile: greenList,
  },
  {
    name: 'echoing tenant, copying suspect',
    tenant: echoing,
    innocent: 'copies what it is shown',
    profile: greenList,
    readings: allReadings,
  },
  {
    name: 'echoing tenant, copying suspect, lefthash of width 2',
    tenant: echoing,
    innocent: 'copies what it is shown',
    profile: lastTokenList,
    readings: allReadings,
  },
  {
    name: 'adaptive tenant, copying suspect, gumbel',
    tenant: adaptive,
    innocent: 'copies what it is shown',
    profile: sceneProfile({ name: 'gumbel' }),
  },
  {
    name: 'adaptive tenant, copying suspect, tournament',
    tenant: adaptive,
    innocent: 'copies what it is shown',
    profile: sceneProfile({ name: 'tournament', depth: 20 }),
  },
];

/** Finds a case by its name. */
export function auditCaseOf(name: string): AuditCase {
  const found = auditCases.find((each) => each.name === name);
  if (!found) throw new RangeError(`there is no audit case ${name}`);
  return found;
}

/** Audits innocents, each under a key of its own, and counts how often tests speak against them. */
export async function tryAudits(
  { name, tenant, innocent, profile, readings = usualReadings }: AuditCase,
  { seed, from, to }: Block,
  { protectedModel, reference, suspects }: AuditScene,
): Promise<Counts> {
  const counts: Counts = {};
  for (let turn = from; turn < to; turn++) {
    const trial = `${seed}/${name}/${turn}`;
    const key = keyFor(profile, `${trial}/key`);
    const suspect = suspects[innocent][turn % suspects[innocent].length]!;
    const marked = asLanguageModel(protectedModel, openTextWatermark(profile, key));
    const log = await tenant({ marked, suspect, seed: trial });
    const material = textMaterial({ profile, key, log, prompts, readings });
    const { evidence } = await conductTextAudit({
      material: { ...material, reference },
      suspect,
      batchSize: 64,
      signal,
    });
    const isLarge = (log10E: number): boolean => log10E >= Math.log10(largeE);
    for (const { test, status, log10E, log10P = 0 } of evidence) {
      if (status === 'not-applicable') continue;
      count(counts, `${test} / ${name} / E >= 20 at the end`, 1 / largeE, isLarge(log10E));
      for (const level of ratesP) {
        count(counts, `${test} / ${name} / p <= ${level}`, level, log10P <= Math.log10(level));
      }
    }
    const score = provenanceScore(evidence);
    count(counts, `text score / ${name} / E >= 20 at the end`, 1 / largeE, isLarge(score));
  }
  return counts;
}
