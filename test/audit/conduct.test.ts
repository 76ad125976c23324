import { describe, expect, it } from 'vitest';
import { type ConductOptions, conductAudit } from '../../src/audit/conduct.ts';
import { type AuditMaterial, freshProbe, loggedProbe } from '../../src/audit/material.ts';
import { replayTests, type StopRule } from '../../src/audit/replay.ts';
import type { Answer, Classifier, Outcome, Probe } from '../../src/contracts.ts';
import { classifierKeys } from '../../src/keys/classifier-keys.ts';
import { ClassifierMarker } from '../../src/watermark/classifier-marker.ts';
import { readingLogs } from '../../src/watermark/probability/alignment.ts';
import {
  servingFloor,
  toDistribution,
  topTwo,
} from '../../src/watermark/probability/distribution.ts';
import { labels, ngramModel, sentences } from '../operations/audit-scene.ts';
import { keyOf, textProfile } from '../watermark/fixtures.ts';

const profile = textProfile({ labels, markedClasses: [0, 2, 4] });
const epochKey = keyOf('epoch');
const marker = new ClassifierMarker(epochKey, profile);
const model = ngramModel();
const cleanOf = (text: string) => toDistribution(model(text), servingFloor);

const shared = {
  profile,
  keys: classifierKeys(epochKey),
  epochCommitment: `sha256:${'0'.repeat(64)}`,
  questionsNotChosenFromAnswers: false,
  referencesExchangeable: true,
  fresh: sentences(30, 'fresh').map((text, index) => ({
    probe: freshProbe(index, text),
    baselines: [readingLogs(cleanOf(text))],
  })),
  logged: sentences(90, 'log').map((text, sequence) => {
    const { served, label, marks } = marker.mark(text, cleanOf(text));
    const record = {
      sequence,
      tenant: 'acme',
      epoch: 'e1',
      servedAt: '2026-01-02T03:04:05.678Z',
      modelVersion: '1',
      input: text,
      clean: [...cleanOf(text)],
      served: [...served],
      label,
      marks,
    };
    return { probe: loggedProbe(record), record, baselines: [readingLogs(record.clean)] };
  }),
  regionLots: [],
};
const coins = shared.logged.filter(({ record }) => record.marks.coin !== undefined);
const material: AuditMaterial = { ...shared, coins };

/** A suspect that repeats the marked answers, or gives what `change` makes of them. */
function relay(
  change: (answer: Answer, text: string) => Outcome = (answer) => ({ answer }),
): Classifier {
  return {
    describe: async () => ({ name: 'relay', gives: ['labels', 'probabilities'] }),
    classify: async (inputs) =>
      inputs.map((input) => {
        const { served, label } = marker.mark(input, cleanOf(String(input)));
        return change({ label: labels[label]!, probabilities: [...served] }, String(input));
      }),
  };
}

function conduct(options: Partial<ConductOptions> = {}) {
  const recorded = new Map<string, Outcome>();
  const progress: number[] = [];
  const findings = conductAudit({
    material,
    suspect: relay(),
    gives: ['labels', 'probabilities'],
    runLog: {
      recall: (probe: Probe) => recorded.get(probe.id),
      record: async (outcomes) => {
        for (const { probe, outcome } of outcomes) recorded.set(probe.id, outcome);
      },
    },
    batchSize: 8,
    disguise: { seed: 'test', coverPerTrap: 1, pauseMilliseconds: 0 },
    signal: new AbortController().signal,
    progress: (_, done, total) => progress.push(done / total),
    ...options,
  });
  return { findings, recorded, progress };
}

describe('conductAudit', () => {
  it('runs every test, asks each probe once, a few again at the end, and says how far it is', async () => {
    const { findings, recorded, progress } = conduct();
    const { evidence, outcomes, trajectories } = await findings;
    expect(evidence.map(({ test, status }) => [test, status])).toEqual([
      ['probability-per-query', 'done'],
      ['label-coins', 'done'],
      ['probability-signs', 'done'],
      ['probability-signs-replay', 'not-applicable'],
      ['region-traps', 'not-applicable'],
      ['fingerprint-quirks', 'not-applicable'],
    ]);
    expect(evidence[1]?.effect).toEqual({ coins: coins.length, hits: coins.length, share: 1 });
    expect(coins.length).toBeGreaterThan(5);
    expect(outcomes).toEqual({ answered: 120, refused: 0, failed: 0, unsupported: 0 });
    const asked = [...recorded.keys()].filter((id) => !id.startsWith('repeat/'));
    expect(asked).toHaveLength(120);
    expect(recorded.size).toBe(128);
    expect(progress.at(-1)).toBe(1);
    for (const { test, points } of trajectories) {
      expect(points[0]).toEqual([0, 0]);
      const last = evidence.find((each) => each.test === test)!;
      expect(points.at(-1)).toEqual([last.probes, last.log10E]);
    }
  });

  it('weighs evidence the same whatever the size of requests', async () => {
    const one = await conduct().findings;
    const other = await conduct({ batchSize: 50 }).findings;
    expect(other.evidence).toEqual(one.evidence);
    expect(other.confusion).toEqual(one.confusion);
  });

  it('says which probes each test asked, as a replay does, with and without a rule to stop', async () => {
    const stopWhen: StopRule = (evidence) => evidence[0]!.probes >= 60;
    const most = { ...material, fresh: material.fresh.slice(0, 7) };
    for (const options of [{}, { stopWhen }, { material: most, batchSize: 3 }]) {
      const { findings, recorded } = conduct(options);
      const { evidence, probes } = await findings;
      const replay = replayTests(
        'material' in options ? most : material,
        ['labels', 'probabilities'],
        (id) => recorded.get(id),
        'stopWhen' in options ? options : {},
      );
      expect(probes).toEqual(replay.probes);
      expect(evidence).toEqual(replay.evidence);
    }
  });

  it('asks a label-only suspect for nothing that labels cannot answer', async () => {
    const { findings, recorded, progress } = conduct({
      gives: ['labels'],
      suspect: relay(({ label }) => ({ answer: { label } })),
    });
    const { evidence } = await findings;
    const traps = new Set(coins.map(({ probe }) => probe.id));
    expect([...recorded.keys()].filter((id) => traps.has(id))).toHaveLength(traps.size);
    const cover = [...recorded.keys()].filter((id) => !traps.has(id) && !id.startsWith('repeat/'));
    expect(cover).toHaveLength(traps.size);
    expect(new Set(cover.map((id) => id.split('/')[0]))).toEqual(new Set(['fresh', 'log']));
    expect(progress.at(-1)).toBe(1);
    for (const each of evidence) {
      const applies = each.test === 'label-coins';
      expect(each.status).toBe(applies ? 'done' : 'not-applicable');
      if (!applies) expect([each.log10E, each.log10P]).toEqual([0, undefined]);
    }
  });

  it('asks no cover where none is wanted, and more of it on request', async () => {
    const asked = async (coverPerTrap: number) => {
      const disguise = { seed: 'cover', coverPerTrap, pauseMilliseconds: 0 };
      const { findings, recorded } = conduct({ gives: ['labels'], disguise });
      await findings;
      return [...recorded.keys()].filter((id) => !id.startsWith('repeat/')).length;
    };
    expect(await asked(0)).toBe(coins.length);
    expect(await asked(2.5)).toBe(coins.length + Math.ceil(2.5 * coins.length));
  });

  it('counts what is missing, and answers outside the labels', async () => {
    const kinds = ['refused', 'failed', 'unsupported'] as const;
    const asked = new Map<string, Outcome>();
    const suspect = relay((answer, text) => {
      const before = asked.get(text);
      if (before !== undefined) return before;
      const number = asked.size;
      const missing = kinds[number % 10];
      const stranger = number % 10 === 3;
      const outcome: Outcome =
        missing === undefined ? { answer: stranger ? { label: 'yew' } : answer } : { missing };
      asked.set(text, outcome);
      return outcome;
    });
    const { confusion, outcomes, evidence } = await conduct({ suspect }).findings;
    expect(outcomes).toEqual({ answered: 84, refused: 12, failed: 12, unsupported: 12 });
    expect(confusion.map((row) => row.length)).toEqual(Array(6).fill(7));
    expect(confusion.reduce((sum, row) => sum + row[6]!, 0)).toBe(12);
    for (const [row, label] of labels.entries()) {
      const texts = [...asked].filter(([text]) => labels[topTwo(cleanOf(text))[0]] === label);
      const answered = texts.filter(([, outcome]) => 'answer' in outcome);
      expect(confusion[row]!.reduce((sum, count) => sum + count, 0)).toBe(answered.length);
    }
    const fresh = evidence[2]!;
    expect(Object.values(fresh.skipped).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
    expect(fresh.status).toBe('done');
  });

  it('passes on what stopped it, with the answers that had come', async () => {
    let asked = 0;
    const suspect = relay((answer) => {
      asked += 1;
      if (asked > 60) throw new RangeError('gone');
      return { answer };
    });
    const { findings, recorded } = conduct({ suspect });
    await expect(findings).rejects.toThrow('gone');
    expect(recorded.size).toBeLessThanOrEqual(60);
    expect(recorded.size).toBeGreaterThan(60 - 8);
  });
});
