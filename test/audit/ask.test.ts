import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AskOptions, askTests, type RunLog } from '../../src/audit/ask.ts';
import type {
  Classifier,
  Evidence,
  Observation,
  Outcome,
  Probe,
  TestRun,
} from '../../src/contracts.ts';
import { TouchmarkError } from '../../src/errors.ts';

const probe = (id: string): Probe => ({ id, task: 'classify', input: id, repeat: 0 });
const answer = (input: unknown): Outcome => ({ answer: { label: `label of ${String(input)}` } });

/** Asks the given probes, a few at a time, and remembers what it folded. */
class ListRun implements TestRun {
  readonly folded: Observation[] = [];
  readonly #probes: readonly Probe[];
  readonly #step: number;

  constructor(ids: readonly string[], step: number) {
    this.#probes = ids.map(probe);
    this.#step = step;
  }

  next(): readonly Probe[] {
    return this.#probes.slice(this.folded.length, this.folded.length + this.#step);
  }

  fold(observations: readonly Observation[]): void {
    this.folded.push(...observations);
  }

  evidence(): Evidence {
    return {
      test: 'list',
      null: 'keyed',
      status: 'partial',
      log10E: 0,
      probes: this.folded.length,
      skipped: {},
      effect: {},
      keyMaterial: [],
      assumptions: [],
    };
  }
}

class MemoryLog implements RunLog {
  readonly outcomes = new Map<string, Outcome>();

  recall({ id }: Probe): Outcome | undefined {
    return this.outcomes.get(id);
  }

  async record(entries: Parameters<RunLog['record']>[0]): Promise<void> {
    for (const entry of entries) {
      if (this.outcomes.has(entry.probe.id)) throw new Error(`${entry.probe.id} asked twice`);
      this.outcomes.set(entry.probe.id, entry.outcome);
    }
  }
}

function suspectOf(
  classify: (inputs: readonly unknown[], signal: AbortSignal) => Promise<readonly Outcome[]>,
): Classifier & { readonly asked: unknown[] } {
  const asked: unknown[] = [];
  return {
    asked,
    describe: async () => ({ name: 'fake', gives: ['labels'] }),
    classify: async (inputs, { signal }) => {
      asked.push(...inputs);
      return classify(inputs, signal);
    },
  };
}

const ids = (count: number) => Array.from({ length: count }, (_, index) => `p${index}`);
const honest = () => suspectOf(async (inputs) => inputs.map(answer));
const ask = ({
  suspect,
  ...options
}: Pick<AskOptions, 'runs'> & Partial<AskOptions> & { readonly suspect: Classifier }) =>
  askTests({
    ask: (probes, { signal }) =>
      suspect.classify(
        probes.map(({ input }) => input),
        { signal },
      ),
    runLog: new MemoryLog(),
    batchSize: 3,
    concurrency: 2,
    expected: 0,
    signal: new AbortController().signal,
    ...options,
  });

describe('askTests', () => {
  it('mixes cover into every block, in random order, and folds probes in theirs', async () => {
    const suspect = honest();
    const run = new ListRun(ids(40), 20);
    const cover = ids(60).map((id) => probe(`cover ${id}`));
    const log = new MemoryLog();
    await ask({
      suspect,
      runs: [run],
      runLog: log,
      concurrency: 1,
      expected: 100,
      disguise: { seed: 'secret', cover, pauseMilliseconds: 0 },
    });
    expect(run.folded.map((each) => each.probe.id)).toEqual(ids(40));
    expect(suspect.asked).toHaveLength(100);
    expect(log.outcomes.size).toBe(100);
    const isCover = (asked: unknown) => String(asked).startsWith('cover');
    const [first, second] = [suspect.asked.slice(0, 50), suspect.asked.slice(50)];
    for (const block of [first, second]) expect(block.filter(isCover)).toHaveLength(30);
    expect(first.filter((each) => !isCover(each))).not.toEqual(ids(20));
    expect(first.slice(0, 25).filter(isCover).length).toBeGreaterThan(6);
    expect(first.slice(0, 25).filter(isCover).length).toBeLessThan(25);
  });

  it('pauses before requests for as long as it should on average', async () => {
    const begun = performance.now();
    await ask({
      suspect: honest(),
      runs: [new ListRun(ids(60), 60)],
      concurrency: 1,
      expected: 60,
      disguise: { seed: 'pauses', cover: [], pauseMilliseconds: 20 },
    });
    const mean = (performance.now() - begun) / 20;
    expect(mean).toBeGreaterThan(8);
    expect(mean).toBeLessThan(60);
  });

  it('folds in probe order whatever the batches, concurrency and latencies', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 5 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 3 })),
        async (batchSize, concurrency, delays) => {
          const suspect = suspectOf(async (inputs) => {
            await setTimeout(delays.next().value as number);
            return inputs.map(answer);
          });
          const run = new ListRun(ids(23), 11);
          await ask({ suspect, runs: [run], batchSize, concurrency });
          expect(run.folded.map((each) => each.probe.id)).toEqual(ids(23));
          for (const observation of run.folded) {
            expect(observation).toMatchObject(answer(observation.probe.input));
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  it('asks a probe once for all tests that name it', async () => {
    const suspect = honest();
    const runs = [new ListRun(ids(9), 4), new ListRun(['p7', 'p1', 'q'], 2)];
    const asked = await ask({ suspect, runs });
    expect([...suspect.asked].sort()).toEqual([...ids(9), 'q'].sort());
    expect(asked.size).toBe(10);
    expect(asked.outcomes).toEqual({ answered: 10, refused: 0, failed: 0, unsupported: 0 });
    expect(asked.outcomeOf(probe('q'))).toEqual(answer('q'));
    expect(asked.outcomeOf(probe('r'))).toBeUndefined();
    expect(runs[1]!.folded.map((each) => each.probe.id)).toEqual(['p7', 'p1', 'q']);
  });

  it('asks ahead of the folds, each probe once, and folds as it would without', async () => {
    const suspect = honest();
    const run = new ListRun(ids(30), 5);
    const askedBefore: number[] = [];
    const ahead = [...ids(10), ...ids(30)].map(probe);
    const onFold = () => askedBefore.push(suspect.asked.length);
    await ask({ suspect, runs: [run], ahead, onFold, batchSize: 1, concurrency: 4 });
    expect(run.folded.map((each) => each.probe.id)).toEqual(ids(30));
    expect(new Set(suspect.asked).size).toBe(30);
    expect(suspect.asked).toHaveLength(30);
    expect(askedBefore[0]).toBeGreaterThan(5);
  });

  it('asks nothing ahead where a rule may stop the asking', async () => {
    const suspect = honest();
    const runs = [new ListRun(ids(30), 5)];
    const stopWhen = ([own]: readonly Evidence[]) => own!.probes >= 10;
    const asked = await ask({ suspect, runs, ahead: ids(30).map(probe), stopWhen });
    expect([suspect.asked.length, asked.size]).toEqual([10, 10]);
  });

  it('throws what a probe that was asked ahead failed with', async () => {
    const suspect = suspectOf(async (inputs) => {
      if (inputs.includes('p9')) throw new TouchmarkError('SUSPECT_REFUSED', 'no');
      return inputs.map(answer);
    });
    const run = new ListRun(ids(10), 1);
    const failed = ask({ suspect, runs: [run], ahead: ids(10).map(probe) });
    await expect(failed).rejects.toMatchObject({ code: 'SUSPECT_REFUSED' });
  });

  it('times an answer while nothing else is asked, so that one in line is no slow one', async () => {
    let under = 0;
    let free: Promise<unknown> = Promise.resolve();
    const suspect = suspectOf(async (inputs) => {
      under += 1;
      if (inputs.length === 1) expect(under).toBe(1);
      free = free.then(() => setTimeout(20));
      await free;
      under -= 1;
      return inputs.map(answer);
    });
    const times: number[] = [];
    const runLog = new MemoryLog();
    const record = runLog.record.bind(runLog);
    runLog.record = (entries) => {
      times.push(...entries.flatMap(({ milliseconds = [] }) => milliseconds));
      return record(entries);
    };
    const runs = [new ListRun(ids(30), 30)];
    const alone = new Set(['p7', 'p8', 'p20']);
    await ask({ suspect, runs, runLog, alone, concurrency: 8 });
    expect(times).toHaveLength(3);
    expect(Math.min(...times)).toBeLessThan(60);
  });

  it('folds nothing while an answer is being timed', async () => {
    const suspect = suspectOf(async (inputs) => {
      await setTimeout(inputs.includes('p9') ? 40 : 1);
      return inputs.map(answer);
    });
    let took = 0;
    const runLog = new MemoryLog();
    const record = runLog.record.bind(runLog);
    runLog.record = async (entries) => {
      took = entries[0]?.milliseconds ?? took;
      await setTimeout(10);
      await record(entries);
    };
    const onFold = () => {
      const until = performance.now() + 400;
      while (performance.now() < until);
    };
    const run = new ListRun(ids(10), 5);
    const ahead = ids(10).map(probe);
    const alone = new Set(['p9']);
    await ask({ suspect, runs: [run], runLog, ahead, onFold, alone, concurrency: 8 });
    expect(took).toBeGreaterThan(30);
    expect(took).toBeLessThan(400);
  });

  it('keeps little of a probe that the run log knows', async () => {
    const count = 30_000;
    const listed = ids(count).map(probe);
    const row = Array.from({ length: 25 }, (_, label) => label / 300);
    const known = new Map<string, Outcome>();
    const runLog: RunLog = {
      recall: ({ id }) => known.get(id),
      record: async (entries) => {
        for (const entry of entries) known.set(entry.probe.id, { missing: 'refused' });
      },
    };
    let folded = 0;
    const run: TestRun = {
      next: () => listed.slice(folded, folded + 500),
      fold: (observations) => {
        folded += observations.length;
      },
      evidence: () => new ListRun([], 1).evidence(),
    };
    const suspect: Classifier = {
      describe: async () => ({ name: 'fake', gives: ['labels'] }),
      classify: async (inputs) =>
        inputs.map(() => ({ answer: { label: 'a', probabilities: row.map((p) => p + 1e-3) } })),
    };
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const used = () => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = used();
    const asked = await ask({ suspect, runs: [run], runLog, batchSize: 64 });
    known.clear();
    expect((used() - before) / count).toBeLessThan(120);
    expect(asked.size).toBe(count);
  });

  it('reports evidence after each fold', async () => {
    const seen: number[] = [];
    const run = new ListRun(ids(5), 2);
    await ask({ suspect: honest(), runs: [run], onFold: ({ probes }) => seen.push(probes) });
    expect(seen).toEqual([2, 4, 5]);
  });

  it('stops by its rule after a round that was folded whole', async () => {
    const suspect = honest();
    const runs = [new ListRun(ids(20), 5), new ListRun(['q1', 'q2', 'q3'], 1)];
    const stopWhen = (evidence: readonly Evidence[]) => {
      expect(evidence).toHaveLength(2);
      return evidence[0]!.probes >= 7;
    };
    const asked = await ask({ suspect, runs, stopWhen });
    expect(runs.map((run) => run.folded.length)).toEqual([10, 2]);
    expect(asked.size).toBe(12);
    expect(suspect.asked).toHaveLength(12);
  });

  it('asks some probes in requests of their own, and records their time', async () => {
    const sizes = new Map<string, number>();
    const suspect = suspectOf(async (inputs) => {
      await setTimeout(20);
      for (const input of inputs) sizes.set(String(input), inputs.length);
      return inputs.map(answer);
    });
    const times = new Map<string, number | undefined>();
    const runLog: RunLog = {
      recall: () => undefined,
      record: async (entries) => {
        for (const { probe, milliseconds } of entries) times.set(probe.id, milliseconds);
      },
    };
    const run = new ListRun(ids(10), 10);
    await ask({ suspect, runs: [run], runLog, alone: new Set(['p1', 'p4']) });
    expect(run.folded.map((each) => each.probe.id)).toEqual(ids(10));
    for (const [id, size] of sizes) {
      expect(size === 1).toBe(id === 'p1' || id === 'p4');
      if (size === 1) expect(times.get(id)).toBeGreaterThan(15);
      else expect(times.get(id)).toBeUndefined();
    }
  });

  it('asks as many at once as the pace allows, and times nothing that it held up', async () => {
    let [under, most, calls] = [0, 0, 0];
    const pace = { concurrency: 1, disturbances: 0 };
    const suspect = suspectOf(async (inputs) => {
      under += 1;
      most = Math.max(most, under);
      calls += 1;
      if (calls === 3) Object.assign(pace, { concurrency: 3, disturbances: 1 });
      await setTimeout(5);
      under -= 1;
      return inputs.map(answer);
    });
    const timed: string[] = [];
    const runLog: RunLog = {
      recall: () => undefined,
      record: async (entries) => {
        expect(most).toBe(calls <= 3 ? 1 : 3);
        for (const { probe, milliseconds } of entries)
          if (milliseconds !== undefined) timed.push(probe.id);
      },
    };
    const alone = new Set(ids(3));
    await ask({ suspect, runs: [new ListRun(ids(30), 30)], runLog, pace, alone });
    expect(timed).toEqual(['p0', 'p1']);
    expect(most).toBe(3);
  });

  it('waits for requests under way when the budget is spent, and keeps their answers', async () => {
    const runLog = new MemoryLog();
    let calls = 0;
    const suspect = suspectOf(async (inputs, signal) => {
      calls += 1;
      if (calls === 3) throw new TouchmarkError('RUN_INCOMPLETE', 'spent');
      await setTimeout(20, undefined, { signal });
      return inputs.map(answer);
    });
    const spent = ask({ suspect, runs: [new ListRun(ids(20), 20)], runLog, concurrency: 3 });
    await expect(spent).rejects.toMatchObject({ code: 'RUN_INCOMPLETE' });
    expect([...runLog.outcomes.keys()]).toEqual(ids(6));
    expect(calls).toBe(3);
  });

  it('records what was answered before the suspect failed, and asks only the rest on resuming', async () => {
    const runLog = new MemoryLog();
    let calls = 0;
    const failing = suspectOf(async (inputs) => {
      calls += 1;
      if (calls === 3) throw new TouchmarkError('SUSPECT_UNREACHABLE', 'gone');
      return inputs.map(answer);
    });
    const first = ask({
      suspect: failing,
      runs: [new ListRun(ids(20), 20)],
      runLog,
      concurrency: 1,
    });
    await expect(first).rejects.toMatchObject({ code: 'SUSPECT_UNREACHABLE' });
    expect([...runLog.outcomes.keys()]).toEqual(ids(6));

    const suspect = honest();
    const resumed = new ListRun(ids(20), 20);
    await ask({ suspect, runs: [resumed], runLog });
    expect([...suspect.asked].sort()).toEqual(ids(20).slice(6).sort());
    const fresh = new ListRun(ids(20), 20);
    await ask({ suspect: honest(), runs: [fresh] });
    expect(resumed.folded).toEqual(fresh.folded);
  });

  it('never asks again what was refused', async () => {
    const runLog = new MemoryLog();
    const refusing = suspectOf(async (inputs) => inputs.map(() => ({ missing: 'refused' })));
    await ask({ suspect: refusing, runs: [new ListRun(ids(4), 4)], runLog });
    const suspect = honest();
    const run = new ListRun(ids(4), 4);
    await ask({ suspect, runs: [run], runLog });
    expect(suspect.asked).toEqual([]);
    expect(run.folded.every((each) => 'missing' in each)).toBe(true);
  });

  it('stops the other requests when one fails, and throws its error', async () => {
    let stopped = 0;
    const suspect = suspectOf(async (inputs, signal) => {
      if (inputs.includes('p0')) throw new TouchmarkError('SUSPECT_REFUSED', 'no');
      await setTimeout(10_000, undefined, { signal }).finally(() => {
        stopped += 1;
      });
      return inputs.map(answer);
    });
    const failed = ask({ suspect, runs: [new ListRun(ids(20), 20)], concurrency: 3 });
    await expect(failed).rejects.toMatchObject({ code: 'SUSPECT_REFUSED' });
    expect(stopped).toBe(2);
    expect(suspect.asked.length).toBe(9);
  });

  it('is INTERRUPTED by its signal, with the answers that had arrived recorded', async () => {
    const controller = new AbortController();
    const runLog = new MemoryLog();
    let calls = 0;
    const suspect = suspectOf(async (inputs, signal) => {
      calls += 1;
      if (calls === 2) controller.abort();
      signal.throwIfAborted();
      return inputs.map(answer);
    });
    const interrupted = ask({
      suspect,
      runs: [new ListRun(ids(9), 9)],
      runLog,
      concurrency: 1,
      signal: controller.signal,
    });
    await expect(interrupted).rejects.toMatchObject({ code: 'INTERRUPTED', exitCode: 130 });
    expect(runLog.outcomes.size).toBe(3);
    expect(calls).toBe(2);
  });
});
