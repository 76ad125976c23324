import { createHash } from 'node:crypto';
import {
  type AuditMaterial,
  firstOccurrences,
  freshProbe,
  loggedProbe,
} from '../../src/audit/material.ts';
import type {
  Evidence,
  Input,
  Observation,
  Probe,
  ProvenanceTest,
  ServedRecord,
} from '../../src/contracts.ts';
import { canonicalInput } from '../../src/keys/canonical-input.ts';
import { classifierKeys } from '../../src/keys/classifier-keys.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { ClassifierMarker } from '../../src/watermark/classifier-marker.ts';
import { readingLogs } from '../../src/watermark/probability/alignment.ts';
import { servingFloor, toDistribution } from '../../src/watermark/probability/distribution.ts';
import { answering, drawInnocent, type Suspect } from './innocents.ts';
import { blend, drawModel, probabilities, type Task } from './task.ts';
import type { Tenant } from './tenants.ts';

/** One kind of audit of an innocent. */
export interface Scenario {
  readonly task: Task;
  readonly tenant: Tenant;
  /** A model's own innocence, or one that learned another owner's marks perfectly. */
  readonly suspect: 'independent' | 'learned another key';
  readonly questions: number;
  readonly fresh: number;
  /** Logged questions that get replay baselines. */
  readonly replayed: number;
}

/** Everything a finished campaign leaves: what the tests work on, and whom they suspect. */
export interface Audit {
  readonly material: AuditMaterial;
  readonly epochKey: Uint8Array;
  readonly suspect: Suspect;
  /** All records, repeated questions included. */
  readonly records: readonly ServedRecord[];
}

/** Serves one tenant under a key of its own and prepares the audit of a fresh innocent. */
export function simulateAudit(scenario: Scenario, seed: string, turn: number): Audit {
  const { task } = scenario;
  const random = seededRandom(`${seed}/${turn}`);
  const cleanLogits = drawModel(task, random);
  const clean = (input: Input) => toDistribution(probabilities(cleanLogits)(input), servingFloor);
  const epochKey = keyOf(`${seed}/${turn}/key`);
  const marker = new ClassifierMarker(epochKey, task.profile);
  const suspect =
    scenario.suspect === 'independent'
      ? drawInnocent(Math.floor(turn / 2), { task, random, clean: cleanLogits })
      : foreignStudent(task, keyOf(`${seed}/${turn}/foreign`), clean);
  const records: ServedRecord[] = [];
  scenario.tenant({
    task,
    random,
    questions: scenario.questions,
    turn,
    suspect,
    clean,
    ask: (given) => {
      const input = canonicalInput(given);
      const distribution = clean(input);
      const answer = marker.mark(input, distribution);
      records.push(recordOf(records.length, given, distribution, answer));
      return answer;
    },
  });
  const twin = probabilities(blend(cleanLogits, drawModel(task, random), 0.95));
  const fresh = Array.from({ length: scenario.fresh }, () => task.draw(random));
  const baselines = (input: Input) => [readingLogs(twin(input)), readingLogs(clean(input))];
  const questions = logged(firstOccurrences(records), baselines, scenario.replayed);
  const material: AuditMaterial = {
    profile: task.profile,
    keys: classifierKeys(epochKey),
    epochCommitment: `sha256:${turn}`,
    questionsNotChosenFromAnswers: true,
    referencesExchangeable: true,
    fresh: fresh.map((input, index) => ({
      probe: freshProbe(index, input),
      baselines: baselines(input),
    })),
    logged: questions,
    coins: questions,
    regionLots: [],
  };
  return { material, epochKey, suspect, records };
}

/** Log questions as an audit's material has them. */
export function logged(
  records: readonly ServedRecord[],
  baselines: (input: Input) => readonly Float64Array[],
  replayed: number,
): AuditMaterial['logged'] {
  return records.map((record, index) => ({
    probe: loggedProbe(record),
    record,
    baselines: baselines(record.input),
    ...(index < replayed && { replayBaselines: baselines(record.input) }),
  }));
}

/** What one test said of one suspect. */
export interface TestResult {
  /** The largest log10 e-value after any fold. */
  readonly highest: number;
  readonly final: Evidence;
}

/** Runs one test to its end, a step of `next` at a time or, to see every moment, a probe at a time. */
export function runTest(
  test: ProvenanceTest<AuditMaterial>,
  { material, suspect }: Pick<Audit, 'material' | 'suspect'>,
  step: 'probe' | 'batch',
): TestResult {
  const run = test.start(material);
  let highest = Number.NEGATIVE_INFINITY;
  for (;;) {
    const due = run.next();
    if (due.length === 0) return { highest, final: run.evidence() };
    for (const probes of step === 'batch' ? [due] : due.map((probe) => [probe])) {
      run.fold(probes.map((probe) => observe(suspect, probe)));
      highest = Math.max(highest, run.evidence().log10E);
    }
  }
}

export function keyOf(seed: string): Buffer {
  return createHash('sha256').update(seed).digest();
}

function observe(suspect: Suspect, probe: Probe): Observation {
  return { probe, ...suspect(probe.input) };
}

function foreignStudent(
  task: Task,
  key: Uint8Array,
  clean: (input: Input) => Float64Array,
): Suspect {
  const marker = new ClassifierMarker(key, task.profile);
  return answering(task, (input) => {
    const canonical = canonicalInput(input);
    return marker.mark(canonical, clean(canonical)).served;
  });
}

function recordOf(
  sequence: number,
  input: Input,
  clean: Float64Array,
  answer: ReturnType<ClassifierMarker['mark']>,
): ServedRecord {
  return {
    sequence,
    tenant: 'tenant',
    epoch: 'epoch',
    servedAt: '2026-01-01T00:00:00.000Z',
    modelVersion: '1',
    input,
    clean: Array.from(clean),
    served: Array.from(answer.served),
    label: answer.label,
    marks: answer.marks,
  };
}
