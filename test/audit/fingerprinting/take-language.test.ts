import { beforeAll, describe, expect, it } from 'vitest';
import type { RunLog } from '../../../src/audit/ask.ts';
import {
  questionCount,
  takeLanguageFingerprint,
} from '../../../src/audit/fingerprinting/take-language.ts';
import type { LanguageModel, Outcome, Probe, Task } from '../../../src/contracts.ts';
import {
  fingerprintSchema,
  type LanguageFingerprint,
} from '../../../src/fingerprints/fingerprint.ts';
import { probeSetId } from '../../../src/fingerprints/probe-set.ts';
import { corpora, lessonsFrom, likenesses, probes, signal, take, train } from './language-scene.ts';

const completionCount = questionCount(probes) - probes.contexts.length;

/** A run log in memory, as a file would hold it. */
function rememberingLog<T extends Task>(): RunLog<T> & { readonly known: Map<string, Outcome<T>> } {
  const known = new Map<string, Outcome<T>>();
  return {
    known,
    recall: ({ id }) => known.get(id),
    record: async (outcomes) => {
      for (const { probe, outcome } of outcomes) known.set(probe.id, outcome);
    },
  };
}

let owner: LanguageModel;
let owned: LanguageFingerprint;
let student: Readonly<Record<string, number>>;
const options = {
  probes,
  name: 'in this test',
  takenAt: '2026-01-01T00:00:00Z',
  toolkit: 'touchmark in this test',
};

beforeAll(async () => {
  owner = train(corpora.own);
  owned = await take(owner);
  student = likenesses(owned, await take(train(await lessonsFrom(owner, 60_000))));
});

describe('a fingerprint', () => {
  it('is what was asked, when, by what, and every answer', () => {
    expect(fingerprintSchema.parse(owned)).toEqual(owned);
    expect(owned).toMatchObject({
      task: 'language',
      model: { name: 'in this test', version: null, address: null },
      probeSet: probeSetId(probes),
      takenAt: '2026-01-01T00:00:00Z',
      outcomes: { answered: questionCount(probes), refused: 0, failed: 0, unsupported: 0 },
    });
    const { completions, topTokens, topLogProbabilities } = owned.answers;
    expect(completions.map((each) => each.length)).toEqual([32, 32, 32]);
    expect(completions.flat().every((samples) => samples.length === 4)).toBe(true);
    expect(topTokens).toHaveLength(probes.contexts.length);
    for (const [context, logProbabilities] of topLogProbabilities!.entries()) {
      expect(topTokens![context]).toHaveLength(probes.top);
      expect(logProbabilities).toEqual(logProbabilities!.toSorted((a, b) => b - a));
    }
  });

  it('has samples that differ where the temperature lets them, and only there', () => {
    const different = owned.answers.completions.map((prompts) =>
      prompts.reduce((sum, samples) => sum + new Set(samples).size, 0),
    );
    expect(different[0]).toBe(32);
    expect(different[1]).toBeGreaterThan(110);
    expect(different[2]).toBe(128);
  });

  it('is the same when it is taken twice, and nearly so with other seeds', async () => {
    expect(await take(owner)).toEqual(owned);
    const fresh = likenesses(owned, await take(owner, 'other seeds'));
    expect(fresh['token-habits']).toBeGreaterThan(0.95);
    expect(fresh['temperature-variation']).toBeGreaterThan(0.95);
    expect(fresh['top-order']).toBe(1);
  });
});

describe('likeness', () => {
  it('is larger for a student than for models of other data, and small for random words', async () => {
    const stranger = likenesses(owned, await take(train(corpora.later)));
    const neighbour = likenesses(owned, await take(train(corpora.sameYears)));
    const random = likenesses(owned, await take(train([])));
    for (const quirk of ['token-habits', 'top-order']) {
      expect(student[quirk]).toBeGreaterThan(stranger[quirk]! + 0.03);
      expect(stranger[quirk]).toBeGreaterThan(random[quirk]! + 0.1);
    }
    expect(student['top-order']).toBeGreaterThan(neighbour['top-order']! + 0.03);
    expect(random['top-order']).toBeCloseTo(0, 9);
    expect(random['opening-phrases']).toBeLessThan(0.2);
  });

  it('is larger still for an innocent model of the same data: it says nothing of theft', async () => {
    const innocent = likenesses(owned, await take(train(corpora.own, 2)));
    expect(innocent['top-order']).toBeGreaterThan(student['top-order']!);
  });

  it('hardly changes when half of the completions are missing', async () => {
    let asked = 0;
    const silent: LanguageModel = {
      describe: (each) => owner.describe(each),
      score: (contexts, each) => owner.score!(contexts, each),
      complete: async (prompts, each) =>
        (await owner.complete(prompts, each)).map((outcome) =>
          asked++ % 2 === 0 ? outcome : { missing: asked % 4 === 0 ? 'refused' : 'failed' },
        ),
    };
    const taken = await take(silent);
    expect(taken.outcomes).toMatchObject({
      answered: questionCount(probes) - completionCount / 2,
      refused: completionCount / 4,
      failed: completionCount / 4,
    });
    const half = likenesses(owned, taken);
    expect(Object.keys(half)).toHaveLength(5);
    expect(half['token-habits']).toBeGreaterThan(0.9);
    expect(half['temperature-variation']).toBeGreaterThan(0.9);
    expect(half['top-order']).toBe(1);
  });
});

describe('taking', () => {
  it('goes on after an interruption without asking an answered probe again', async () => {
    const runLogs = { complete: rememberingLog<'complete'>(), score: rememberingLog<'score'>() };
    const stop = new AbortController();
    let questions = 0;
    const counted: LanguageModel = {
      describe: (each) => owner.describe(each),
      complete: (prompts, each) => {
        questions += prompts.length;
        if (questions > 260) stop.abort();
        return owner.complete(prompts, each);
      },
      score: (contexts, each) => {
        questions += contexts.length;
        return owner.score!(contexts, each);
      },
    };
    const taking = (until: AbortSignal) =>
      takeLanguageFingerprint({ ...options, model: counted, runLogs, signal: until });
    await expect(taking(stop.signal)).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const kept = runLogs.complete.known.size;
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(completionCount);
    questions = 0;
    expect(await taking(signal)).toEqual(owned);
    expect(questions).toBe(questionCount(probes) - kept);
  });

  it('names every probe once, and tells how far it is', async () => {
    const ids: string[] = [];
    const seen: number[] = [];
    const collecting = <T extends Task>(): RunLog<T> => ({
      recall: (probe: Probe<T>) => {
        ids.push(probe.id);
        return { missing: 'failed' } as Outcome<T>;
      },
      record: async () => undefined,
    });
    const runLogs = { complete: collecting<'complete'>(), score: rememberingLog<'score'>() };
    await takeLanguageFingerprint({
      ...options,
      model: owner,
      runLogs,
      signal,
      progress: (_, done, total) => {
        expect(total).toBe(questionCount(probes));
        seen.push(done);
      },
    });
    expect(new Set(ids).size).toBe(completionCount);
    expect(seen.at(-1)).toBe(questionCount(probes));
  });

  it('has no order of tokens from a model that tells no probabilities', async () => {
    const textOnly: LanguageModel = {
      describe: async () => ({ name: 'text only', gives: ['completions'] }),
      complete: (prompts, each) => owner.complete(prompts, each),
    };
    const taken = await take(textOnly);
    expect(taken.answers).toEqual({ completions: owned.answers.completions });
    expect(taken.outcomes).toMatchObject({
      answered: completionCount,
      unsupported: probes.contexts.length,
    });
    expect(Object.keys(likenesses(owned, taken))).not.toContain('top-order');
  });

  it('keeps of hostile distributions what can be tokens, each once, best first', async () => {
    const hostile: LanguageModel = {
      describe: async () => ({ name: 'hostile', gives: ['token-probabilities'] }),
      complete: async (prompts) => prompts.map(() => ({ answer: { text: '' } })),
      score: async (contexts) =>
        contexts.map((_, index) => ({
          answer:
            index % 2 === 0
              ? {
                  tokens: Int32Array.of(-1, 5, 7, 5, 6, 8, 9),
                  logProbabilities: Float32Array.of(0, -3, -1, -2, Number.NaN, -Infinity, -1),
                }
              : { tokens: new Int32Array(0), logProbabilities: new Float32Array(0) },
        })),
    };
    const { answers, outcomes } = await take(hostile);
    expect(answers.topTokens!.slice(0, 2)).toEqual([[7, 9, 5], null]);
    expect(answers.topLogProbabilities!.slice(0, 2)).toEqual([[-1, -1, -2], null]);
    expect(outcomes.failed).toBe(probes.contexts.length / 2);
    expect(Object.keys(likenesses(owned, await take(hostile)))).toContain('top-order');
  });
});
