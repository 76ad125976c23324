import { describe, expect, it } from 'vitest';
import { drawTextSplits } from '../../scripts/demo/traps/splits.ts';
import { prune, roundToFourBits } from '../../scripts/zoo/alter.ts';
import { foreignImages, foreignTexts } from '../../scripts/zoo/foreign.ts';
import {
  independentRecipes,
  members,
  surrogateKinds,
  taskNames,
  trapPowerKinds,
} from '../../scripts/zoo/manifest.ts';
import { type Member, type MemberOptions, raiseMember } from '../../scripts/zoo/open-member.ts';
import { type Examples, type Scene, viewOf } from '../../scripts/zoo/scene.ts';
import { answersDigest } from '../../scripts/zoo/summary.ts';
import { averageOf, classifierOf } from '../../scripts/zoo/zoo-model.ts';
import type { TensorInput } from '../../src/contracts.ts';
import type { Layer, Layers } from '../../src/models/training/layers.ts';
import { searchFeatures } from '../../src/models/training/search-features.ts';
import { seededRandom } from '../../src/stats/sampling.ts';

const { signal } = new AbortController();

describe('the manifest', () => {
  it('has four protected models of each task, of several architectures', () => {
    for (const task of taskNames) {
      const own = members.filter((member) => member.task === task);
      expect(own.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
      expect(new Set(own.map(({ units }) => units)).size).toBe(4);
    }
  });

  it('has every kind of surrogate that the zoo promises, and keeps those of trap-power', () => {
    const names = surrogateKinds.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(trapPowerKinds).toHaveLength(22);
    for (const kind of [
      ...['own features', 'other data', 'mixed queries', 'smaller network', 'tuned on the truth'],
      ...['pruned', '4-bit', 'distilled twice', 'averaged'],
    ]) {
      expect(names).toContain(`${kind}, probabilities`);
      expect(names).toContain(`${kind}, labels`);
    }
    expect(names).toContain('nearest neighbours, labels');
  });

  it('has at least 22 independents for each kind of data, of families that references have or lack', () => {
    const count = (familiar: boolean) =>
      independentRecipes
        .filter((recipe) => recipe.familiar === familiar)
        .reduce((sum, { zoo }) => sum + zoo, 0);
    expect(count(true) + count(false)).toBeGreaterThanOrEqual(22);
    expect(Math.min(count(true), count(false))).toBeGreaterThanOrEqual(8);
    for (const { count: all, zoo } of independentRecipes) expect(zoo).toBeLessThanOrEqual(all);
  });
});

const random = seededRandom('zoo test');
const drawLayer = (inputs: number, units: number, columns: number): Layer => ({
  inputs,
  units,
  weights: Float32Array.from({ length: (inputs + 1) * units }, (_, at) =>
    at % units < columns ? random.normal() : 0,
  ),
});
const drawn: Layers = { classes: 3, layers: [drawLayer(30, 8, 8), drawLayer(8, 4, 3)] };
const without = ({ inputs, units, weights }: Layer) => weights.subarray(0, inputs * units);
const biases = ({ inputs, units, weights }: Layer) => weights.subarray(inputs * units);

describe('altered models', () => {
  it('lose the share of smallest weights in each layer when pruned, and nothing else', () => {
    const pruned = prune(drawn, 0.5);
    pruned.layers.forEach((layer, depth) => {
      const before = drawn.layers[depth]!;
      const lost = [...without(before)].filter((weight, at) => weight !== without(layer)[at]);
      const kept = [...without(layer)].filter((weight) => weight !== 0);
      const weights = layer.inputs * (depth === 0 ? 8 : 3);
      expect(lost).toHaveLength(weights / 2);
      expect(kept).toHaveLength(weights / 2);
      expect(Math.max(...lost.map(Math.abs))).toBeLessThanOrEqual(Math.min(...kept.map(Math.abs)));
      expect(biases(layer)).toEqual(biases(before));
    });
  });

  it('keep at most 16 weights in a column when rounded to 4 bits, each near what it was', () => {
    const rounded = roundToFourBits(drawn);
    rounded.layers.forEach((layer, depth) => {
      const before = drawn.layers[depth]!;
      for (let unit = 0; unit < layer.units; unit += 1) {
        const column = ({ inputs, units, weights }: Layer) =>
          Array.from({ length: inputs }, (_, input) => weights[input * units + unit]!);
        const [was, is] = [column(before), column(layer)];
        const step = Math.max(...was.map(Math.abs)) / 7.5;
        expect(new Set(is).size).toBeLessThanOrEqual(16);
        is.forEach((weight, input) => {
          expect(Math.abs(weight - was[input]!)).toBeLessThanOrEqual(step / 2 + 1e-6);
        });
        if (step > 0) expect(is).not.toEqual(was);
      }
      expect(biases(layer)).toEqual(biases(before));
    });
  });

  it('give the mean of their probabilities when averaged, and its largest as their label', () => {
    const model = (rows: readonly number[]) => ({
      label: () => [],
      probabilities: () => Float32Array.from(rows),
    });
    const both = averageOf([model([0.9, 0.1, 0.4, 0.6]), model([0.2, 0.8, 0.3, 0.7])], 2);
    expect([...both.probabilities(['a', 'b'])]).toEqual(
      [0.55, 0.45, 0.35, 0.65].map((value) => expect.closeTo(value, 6)),
    );
    expect(Array.from(both.label(['a', 'b']))).toEqual([0, 1]);
  });
});

/** Points around three centres in eight dimensions, which overlap. */
function tinyScene(): Scene {
  const draw = seededRandom('tiny');
  const centres = [0, 1, 2].map(() => Array.from({ length: 8 }, () => draw.normal()));
  const point = (label: number): TensorInput => ({
    shape: [8],
    data: Float32Array.from(centres[label]!, (value) => value + draw.normal()),
  });
  const examples = (count: number): Examples => {
    const labels = Array.from({ length: count }, (_, at) => at % 3);
    return { inputs: labels.map(point), labels };
  };
  const [training, other, attacker] = [examples(120), examples(120), examples(200)];
  const view = (name: string, { inputs }: Examples) => viewOf(name, searchFeatures(inputs));
  return {
    ...{ name: 'tiny', labels: ['a', 'b', 'c'], training, other, attacker, units: 16 },
    ...{ owner: examples(300).inputs, pool: examples(20).inputs, traffic: examples(150) },
    views: {
      protected: view('own', training),
      thief: view('thief', attacker),
      unusual: [view('one', other), view('two', other)],
    },
    mix: (one) => one,
    foreign: (count) => examples(count).inputs,
  };
}

/** Opens the tiny member; models are taken from `known`, and kept there. */
function openTiny(
  answers: NonNullable<MemberOptions['answers']>,
  known = new Map<string, string>(),
): Promise<Member> {
  const wanted = ['own features, labels', 'pruned, labels', '4-bit, labels', 'averaged, labels'];
  const kinds = surrogateKinds.filter(({ name }) => wanted.includes(name));
  const cache = {
    read: async (key: string) => known.get(key),
    write: async (key: string, text: string) => void known.set(key, text),
  };
  return raiseMember(tinyScene(), 'tiny/1', '1', { kinds, answers, cache, signal });
}

describe('a member', () => {
  it('gives the same answers when it is trained again, and logs what each thief asked and got', async () => {
    const trained = new Map<string, string>();
    const [first, again] = [await openTiny('served', trained), await openTiny('served')];
    const { inputs } = first.scene.traffic;
    const digests = ({ protectedModel, surrogates, independents }: Member) =>
      [protectedModel, ...surrogates, ...independents].map((model) => [
        model.id,
        answersDigest(model, inputs),
      ]);
    expect(digests(again)).toEqual(digests(first));
    const own = digests(first).map(([, digest]) => digest);
    expect(new Set(own.slice(0, 5)).size).toBe(5);
    expect(first.independents.length).toBeGreaterThanOrEqual(44);

    const records = first.served!.recordsOf('tiny/1/surrogate/own features, labels/0');
    expect(records).toHaveLength(180);
    const clean = first.protectedModel.probabilities(records.map(({ input }) => input));
    records.forEach((record, row) => {
      expect(record.sequence).toBe(row);
      expect(record.clean[1]).toBeCloseTo(clean[3 * row + 1]!, 4);
      expect(record.served[record.label]).toBe(Math.max(...record.served));
    });
    expect(records.some(({ marks }) => marks.coin !== undefined)).toBe(true);
    expect(records.some(({ clean: own, served }) => own[0] !== served[0])).toBe(true);
    expect(() => first.served!.recordsOf('tiny/1/nobody')).toThrow(RangeError);

    const before = trained.size;
    const unmarked = await openTiny('clean', trained);
    expect(trained.size - before).toBeLessThanOrEqual(unmarked.surrogates.length);
    expect(unmarked.served).toBeUndefined();
    const independent = (member: Member) => digests(member).slice(5);
    expect(independent(unmarked)).toEqual(independent(first));
    const said = await classifierOf(first.protectedModel, first.scene.labels).classify(inputs, {
      signal,
    });
    const labels = first.protectedModel.label(inputs);
    said.forEach((outcome, row) => {
      const answer = 'answer' in outcome ? outcome.answer : undefined;
      expect(answer?.label).toBe(first.scene.labels[labels[row]!]);
      expect(answer?.probabilities).toHaveLength(3);
    });
  });
});

describe('foreign questions', () => {
  it('are none that traffic or an attacker has, and the same for the same seed', () => {
    const { traffic, attacker } = drawTextSplits('1');
    const known = new Set([...traffic, ...attacker].map(({ text }) => text));
    const texts = foreignTexts(500, 'a');
    expect(new Set(texts).size).toBe(500);
    expect(texts.filter((text) => known.has(text))).toEqual([]);
    expect(foreignTexts(500, 'a')).toEqual(texts);
    expect(foreignTexts(500, 'b')).not.toEqual(texts);
  });

  it('are images turned, upside down, in negative or noise', () => {
    const image = (): TensorInput => ({
      shape: [14, 14],
      data: Float32Array.from({ length: 196 }, () => random.uniform()),
    });
    const given = Array.from({ length: 4 }, image);
    const sorted = ({ data }: TensorInput) => [...data].sort((one, two) => one - two);
    const [turned, upsideDown, negative, noise] = foreignImages(given, 4, 'a');
    const from = (wanted: (image: TensorInput) => boolean) => given.filter(wanted);
    const holds = (one: TensorInput) => (other: TensorInput) =>
      sorted(one).every((value, at) => value === sorted(other)[at]);
    const [source] = from(holds(turned!));
    expect(turned!.data[0]).toBe(source!.data[13 * 14]);
    expect(turned!.data[13]).toBe(source!.data[0]);
    const [other] = from(holds(upsideDown!));
    expect(upsideDown!.data[0]).toBe(other!.data[195]);
    expect(
      from(({ data }) => negative!.data.every((value, at) => value === Math.fround(1 - data[at]!))),
    ).toHaveLength(1);
    expect(from(holds(noise!))).toEqual([]);
    expect(Math.min(...noise!.data)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...noise!.data)).toBeLessThanOrEqual(1);
  });
});
