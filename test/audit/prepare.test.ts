import { describe, expect, it } from 'vitest';
import { type PreparationOptions, prepareMaterial } from '../../src/audit/prepare.ts';
import type { Classifier, Input, ServedRecord } from '../../src/contracts.ts';
import {
  servingFloor,
  toDistribution,
  totalVariation,
} from '../../src/watermark/probability/distribution.ts';
import { labels, ngramModel, sentences } from '../operations/audit-scene.ts';
import { textProfile } from '../watermark/fixtures.ts';

const model = ngramModel();
const cleanOf = (input: Input) => toDistribution(model(String(input)), servingFloor);

/** The protected model, and what it was asked. */
function protectedModel(): Classifier & { readonly asked: Input[] } {
  const asked: Input[] = [];
  return {
    asked,
    describe: async () => ({ name: 'model', gives: ['labels', 'probabilities'] }),
    classify: async (inputs) => {
      asked.push(...inputs);
      return inputs.map((input) => ({
        answer: { label: 'any', probabilities: Array.from(model(String(input))) },
      }));
    },
  };
}

const record = (input: string, sequence: number): ServedRecord => ({
  sequence,
  tenant: 'acme',
  epoch: 'e1',
  servedAt: '2026-01-02T03:04:05.678Z',
  modelVersion: '1',
  input,
  clean: [...cleanOf(input)],
  served: [...cleanOf(input)],
  label: 0,
  marks: { probability: true },
});

const prepare = (options: Partial<PreparationOptions>) =>
  prepareMaterial({
    profile: textProfile({ labels, markedClasses: [0, 2, 4] }),
    protectedModel: protectedModel(),
    records: [],
    twinInputs: [],
    freshInputs: [],
    loggedProbes: 1000,
    signal: new AbortController().signal,
    ...options,
  });

describe('prepareMaterial', () => {
  it('compares with two twins and the protected model, whose own answer comes last', async () => {
    const [twinInputs, freshInputs] = [sentences(300, 'twin'), sentences(40, 'fresh')];
    const records = sentences(60, 'log').map(record);
    const upstream = protectedModel();
    const { fresh, logged } = await prepare({
      twinInputs,
      freshInputs,
      records,
      protectedModel: upstream,
    });
    expect(fresh.map(({ input }) => input)).toEqual(freshInputs);
    expect(logged.map(({ sequence }) => sequence)).toEqual(records.map((each) => each.sequence));
    const near = (
      rows: readonly (readonly ArrayLike<number>[])[],
      clean: readonly ArrayLike<number>[],
      index: number,
    ) =>
      rows.reduce((sum, row, at) => sum + totalVariation(row[index]!, clean[at]!), 0) / rows.length;
    const [freshClean, logClean] = [freshInputs.map(cleanOf), records.map((each) => each.clean)];
    expect(fresh.map(({ baselines }) => baselines.at(-1))).toEqual(freshClean);
    expect(logged.map(({ baselines }) => baselines.length)).toEqual(logClean.map(() => 2));
    const uniform = labels.map(() => 1 / labels.length);
    const far = near(
      freshClean.map(() => [uniform]),
      freshClean,
      0,
    );
    for (const twin of [0, 1]) {
      expect(
        near(
          fresh.map(({ baselines }) => baselines),
          freshClean,
          twin,
        ),
      ).toBeLessThan(far);
      const own = near(
        logged.map(({ baselines }) => baselines),
        logClean,
        twin,
      );
      const replayed = near(
        logged.map((each) => each.replayBaselines!),
        logClean,
        twin,
      );
      expect(replayed).toBeLessThan(own);
    }
    expect(upstream.asked).toEqual([...twinInputs, ...freshInputs]);
  });

  it('takes a prefix of the distinct questions, in served order', async () => {
    const texts = ['one', 'dé', 'dé'.normalize('NFD'), 'two', 'one', 'three', 'four'];
    const { logged } = await prepare({ records: texts.map(record), loggedProbes: 4 });
    expect(logged.map(({ sequence }) => sequence)).toEqual([0, 1, 3, 5]);
  });

  it('goes without twins, logged questions or fresh ones where there are none', async () => {
    expect(await prepare({})).toEqual({ fresh: [], logged: [] });
    const { fresh } = await prepare({ freshInputs: ['alone'] });
    expect(fresh).toEqual([{ input: 'alone', baselines: [cleanOf('alone')] }]);
    const { logged } = await prepare({ records: [record('alone', 0)], loggedProbes: 0 });
    expect(logged).toEqual([]);
  });

  it('gives the same numbers again, as a resumed audit reads them', async () => {
    const options = { twinInputs: sentences(60, 'twin'), freshInputs: sentences(10, 'fresh') };
    expect(await prepare(options)).toEqual(await prepare(options));
  });

  it('stops when it is interrupted', async () => {
    const stop = new AbortController();
    const twinInputs = sentences(20, 'twin');
    const preparing = prepare({
      twinInputs,
      signal: stop.signal,
      progress: () => stop.abort(new Error('enough')),
    });
    await expect(preparing).rejects.toThrow('enough');
  });
});
