import { describe, expect, it } from 'vitest';
import { prepareMaterial } from '../../src/audit/prepare.ts';
import { parseRehearsal, quantile, rehearsalId, shareMatched } from '../../src/audit/rehearsal.ts';
import { dealInputs, prepareGround } from '../../src/audit/rehearsal-ground.ts';
import { rehearsalMaterial } from '../../src/audit/rehearsal-material.ts';
import { rehearseStudent, type StudentJob } from '../../src/audit/rehearsal-student.ts';
import { decodeMaterial, encodeMaterial } from '../../src/audit/stored-material.ts';
import { coinSequences, withTraps } from '../../src/audit/trapped-material.ts';
import type { Classifier } from '../../src/contracts.ts';
import { classifierKeys } from '../../src/keys/classifier-keys.ts';
import type { ModelFamily } from '../../src/models/training/model-families.ts';
import { sealProfile } from '../../src/serve/profile-sealing.ts';
import { ClassifierMarker } from '../../src/watermark/classifier-marker.ts';
import { labels, ngramModel, sentences } from '../operations/audit-scene.ts';
import { keyOf } from '../watermark/fixtures.ts';
import { rehearsalOf, students } from './rehearsal-data.ts';

describe('a rehearsal as a document', () => {
  const rehearsal = rehearsalOf({ 300: students(3, 1), 1000: students(4, 0) });
  const text = JSON.stringify(rehearsal);

  it('is read back as it was written, whatever the order of its keys', () => {
    const turned = JSON.stringify(Object.fromEntries(Object.entries(rehearsal).reverse()));
    const where = `/somewhere/${rehearsalId(rehearsal)}.json`;
    expect(parseRehearsal(text, where)).toEqual(rehearsal);
    expect(parseRehearsal(turned, where)).toEqual(rehearsal);
  });

  it('is refused when it was edited, is cut short, of another version or has more in it', () => {
    const where = `/somewhere/${rehearsalId(rehearsal)}.json`;
    for (const other of [
      text.replace('"bans":9', '"bans":8'),
      text.slice(0, -1),
      text.replace('rehearsal@1', 'rehearsal@2'),
      text.replace('{', '{"more":1,'),
    ]) {
      expect(other).not.toBe(text);
      expect(() => parseRehearsal(other, where)).toThrow(
        expect.objectContaining({ code: 'EVIDENCE_INVALID' }),
      );
    }
  });

  it('bounds shares as Clopper and Pearson do', () => {
    const found = shareMatched(students(18, 2), 6.5);
    expect(found).toMatchObject({ trained: 20, matched: 18, share: 0.9 });
    // P(Binomial(20, lower) >= 18) = P(Binomial(20, upper) <= 18) = .05, solved by bisection.
    expect(found.lower).toBeCloseTo(0.7173815, 6);
    expect(found.upper).toBeCloseTo(0.9819348, 6);
    expect(shareMatched(students(0, 7), 6.5)).toMatchObject({ lower: 0, share: 0 });
    expect(shareMatched(students(0, 7), 6.5).upper).toBeCloseTo(1 - 0.05 ** (1 / 7), 9);
  });

  it('takes quantiles between neighbours', () => {
    expect([0, 0.1, 0.5, 1].map((share) => quantile([4, 1, 3, 2], share))).toEqual([
      1, 1.3, 2.5, 4,
    ]);
  });
});

describe('dealInputs', () => {
  it('gives no question to two parts, and half of the owner’s to students', () => {
    const twin = [...sentences(100, 'twin'), 'shared', 'cafe\u0301'];
    const { questions, twin: rest, fresh } = dealInputs(twin, ['shared', 'b'], undefined, 's');
    expect(fresh).toEqual(['shared', 'b']);
    expect(new Set([...questions, ...rest])).toEqual(new Set([...twin.slice(0, 100), 'caf\u00e9']));
    expect([questions.length, rest.length]).toEqual([51, 50]);
  });

  it('lets students ask a file’s questions only, and twins learn from all of their own', () => {
    const dealt = dealInputs(['a', 'b'], ['f'], ['a', 'f', 'c', 'c', 'd'], 's');
    expect(dealt).toEqual({ questions: ['c', 'd'], twin: ['a', 'b'], fresh: ['f'] });
  });
});

describe('students', async () => {
  const model = ngramModel();
  const protectedModel: Classifier = {
    describe: async () => ({ name: 'protected', labels, gives: ['labels', 'probabilities'] }),
    classify: async (inputs) =>
      inputs.map((input) => {
        const probabilities = Array.from(model(String(input)));
        const label = labels[probabilities.indexOf(Math.max(...probabilities))]!;
        return { answer: { label, probabilities } };
      }),
  };
  const { signal } = new AbortController();
  const [twin, fresh] = [sentences(600, 'twin'), sentences(400, 'fresh')];
  const profile = await sealProfile({
    ...{ classifier: protectedModel, labels, inputs: twin, freshInputs: fresh, signal },
    targets: {
      ...{ totalVariation: 0.06, perQueryStrength: 0.1, coinShare: 0.06 },
      ...{ linearCarriers: 256, fourierCarriers: 0 },
    },
  });
  const ground = await prepareGround({
    ...dealInputs(twin, fresh, sentences(2000, 'questions'), 'seed'),
    ...{ profile, protectedModel, signal },
    labelled: [],
  });
  const labelled = sentences(600, 'labelled').map((input) => {
    const row = Array.from(ngramModel(1)(input));
    return { input, label: row.indexOf(Math.max(...row)) };
  });
  const common = {
    ...{ seed: 'seed', freshProbes: 400, loggedProbes: 5000, coins: 'all' as const, signal },
    questionsNotChosenFromAnswers: false,
  };
  const some = async (
    job: Omit<StudentJob, 'index' | 'family'> & { readonly shape: 'labels' | 'probabilities' },
    overrides: Partial<typeof ground> & { readonly coins?: number; readonly keys?: number } = {},
  ) => {
    const { coins = common.coins, keys = 2, ...grounds } = overrides;
    const audited = [];
    for (const [index, family] of (['network-0', 'network-64'] as ModelFamily[]).entries()) {
      for (let key = 0; key < keys; key += 1) {
        const own = { ...job, family, index: 2 * index + key };
        const { shape } = job;
        audited.push(
          await rehearseStudent({ ...ground, ...grounds }, own, { ...common, shape, coins }),
        );
      }
    }
    return audited;
  };
  const bansOf = (audited: readonly { readonly bans: number }[]) => audited.map(({ bans }) => bans);
  const most = (audited: readonly { readonly bans: number }[]) => Math.max(...bansOf(audited));

  it.each([
    'labels',
    'probabilities',
  ] as const)('are found by more bans the more answers they learn from, by %s', async (shape) => {
    const few = await some({ part: 'surrogate', answers: 150, shape }, { keys: 1 });
    const many = await some({ part: 'surrogate', answers: 2000, shape });
    expect(most(few)).toBeLessThan(6);
    expect(quantile(bansOf(many), 0.5)).toBeGreaterThan(7);
    expect(quantile(bansOf(many), 0.5) - quantile(bansOf(few), 0.5)).toBeGreaterThan(5);
    expect(many.map(({ logged }) => logged)).toEqual([2000, 2000, 2000, 2000]);
  });

  it('are not found where they learned nothing of the key', async () => {
    for (const shape of ['labels', 'probabilities'] as const) {
      const clean = await some({ part: 'control', answers: 2000, shape }, { keys: 1 });
      const independent = await some(
        { part: 'control', answers: 2000, shape },
        { labelled, keys: 1 },
      );
      expect(most(clean)).toBeLessThan(2);
      expect(most(independent)).toBeLessThan(2);
      expect(clean).not.toEqual(independent);
    }
  });

  it('are shown as many coins as one audit would show, and no others', async () => {
    const job = { part: 'surrogate', answers: 2000, shape: 'labels' } as const;
    const all = await some(job);
    const lot = await some(job, { coins: 7 });
    expect(lot.map(({ coins }) => coins)).toEqual([7, 7, 7, 7]);
    expect(most(lot)).toBeLessThanOrEqual(7 * Math.log10(2));
    expect(lot.map(({ logged }, index) => logged + all[index]!.coins - 7)).toEqual(
      all.map(({ logged }) => logged),
    );
  });

  it('are the same whenever they are made again, and pay where a test is not rehearsed', async () => {
    const job = { part: 'surrogate', family: 'network-24', answers: 1000, index: 5 } as const;
    const shape = 'probabilities' as const;
    const once = await rehearseStudent(ground, job, { ...common, shape });
    expect(await rehearseStudent(ground, job, { ...common, shape })).toEqual(once);
    const vouched = { ...common, shape, questionsNotChosenFromAnswers: true };
    const { bans } = await rehearseStudent(ground, job, vouched);
    expect(bans).toBeCloseTo(once.bans - Math.log10(2), 5);
  });

  it('are audited over the very material that an audit of their log would have', async () => {
    const key = keyOf('rehearsed');
    const marker = new ClassifierMarker(key, profile);
    const asked = [5, 900, 31, 77];
    const records = asked.map((place, sequence) => {
      const { served, label, marks } = marker.mark(ground.inputs[place]!, ground.clean[place]!);
      return {
        ...{ sequence, tenant: 'acme', epoch: 'e1', servedAt: '2026-01-01T00:00:00.000Z' },
        ...{ modelVersion: '1', input: ground.inputs[place]!, clean: [...ground.clean[place]!] },
        ...{ served: [...served], label, marks },
      };
    });
    const keys = classifierKeys(key);
    const freshPlaces = [2000, 2001, 2010];
    const own = rehearsalMaterial(
      { ground, keys, name: 'own', asked, records, fresh: freshPlaces },
      { loggedProbes: 3, coins: 'all', questionsNotChosenFromAnswers: false },
    );
    const shared = await prepareMaterial({
      ...{ profile, protectedModel, records, twinInputs: twin, loggedProbes: 3, signal },
      freshInputs: freshPlaces.map((place) => ground.inputs[place]!),
    });
    const fallen = coinSequences(records, keys.labelCoins, profile.marginThreshold);
    const joined = withTraps(shared, fallen, { coins: 'all', regionLots: [] });
    const audited = decodeMaterial(encodeMaterial(joined), {
      ...{ profile, keys, records, epochCommitment: own.epochCommitment },
      ...{ questionsNotChosenFromAnswers: false, referencesExchangeable: false },
    });
    const logged = audited.logged.map(({ replayBaselines: _, ...rest }) => rest);
    expect(own).toEqual({ ...audited, logged });
    expect(own.logged[0]!.baselines).toHaveLength(3);
  });
});
