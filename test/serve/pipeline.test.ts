import { describe, expect, it, onTestFinished } from 'vitest';
import { digestOf } from '../../src/audit/plan.ts';
import type { Classifier, Input, Outcome } from '../../src/contracts.ts';
import { TouchmarkError } from '../../src/errors.ts';
import { openServingLog } from '../../src/ledger/serving-log.ts';
import { verifyServingLog } from '../../src/ledger/verify-log.ts';
import { createMarking, type MarkingOptions } from '../../src/serve/marking.ts';
import { createPipeline } from '../../src/serve/pipeline.ts';
import { createKeyRing } from '../../src/store/key-ring.ts';
import { ClassifierMarker } from '../../src/watermark/classifier-marker.ts';
import { servingFloor, toDistribution } from '../../src/watermark/probability/distribution.ts';
import { temporaryDirectory } from '../store/directory.ts';
import { textProfile } from '../watermark/fixtures.ts';

const profile = textProfile();
const { signal } = new AbortController();
const now = '2026-01-02T03:04:05.678Z';

/** Letters of a text among a, b, c and d, as probabilities. */
function letters(input: Input): number[] {
  const counts = [...'abcd'].map((each) => String(input).split(each).length);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => count / total);
}

/** A model in this process, which the adapters' checks do not guard. */
function upstreamOf(answer: (inputs: readonly Input[]) => readonly Outcome[]): Classifier {
  return {
    describe: async () => ({ name: 'letters', gives: ['labels', 'probabilities'] }),
    classify: async (inputs) => answer(inputs),
  };
}

const outcome = (probabilities: readonly number[]): Outcome => ({
  answer: { label: 'a', probabilities },
});

/** A pipeline over a real key ring and a real serving log. */
async function pipelineOf(
  tenants: readonly string[] = ['acme'],
  {
    upstream = upstreamOf((inputs) => inputs.map((input) => outcome(letters(input)))),
    ...override
  }: Partial<MarkingOptions> & { readonly upstream?: Classifier } = {},
) {
  const directory = temporaryDirectory();
  const keyRing = await createKeyRing({ source: `file:${directory}/ring.json` });
  for (const tenant of tenants) keyRing.addEpoch(tenant, now);
  const log = await openServingLog(`${directory}/log`);
  onTestFinished(() => log.close());
  const pipeline = createPipeline({
    upstream,
    model: { name: 'letters', version: '7', labels: profile.labels, input: 'text' },
    marking: createMarking({
      profile,
      modelVersion: '7',
      keys: keyRing,
      log,
      clock: () => new Date(now),
      ...override,
    }),
  });
  const ask = (tenant: string, ...inputs: readonly Input[]) =>
    pipeline.answer({ tenant, inputs, wants: { probabilities: true } }, { signal });
  const records = async (tenant = 'acme') => {
    const found = [];
    for await (const record of log.read({ tenant })) found.push(record);
    return found;
  };
  /** How many records the log holds once it is closed. */
  const logged = async () => {
    await log.close();
    return (await verifyServingLog(`${directory}/log`)).records;
  };
  return { pipeline, keyRing, log, ask, records, logged };
}

describe('the serving pipeline', () => {
  it('serves what the marker gives, and has logged question, clean and served answer', async () => {
    const { keyRing, ask, records } = await pipelineOf();
    const texts = ['abba', 'dad', 'a cab', '', 'feed', 'cccc', 'bad cab', 'abcd'];
    const answers = await ask('acme', ...texts);
    const marker = new ClassifierMarker(keyRing.epochKey('acme', 'e1'), profile);
    const expected = texts.map((text) => {
      const clean = toDistribution(letters(text), servingFloor);
      return { text, clean, ...marker.mark(text, clean) };
    });
    expect(answers).toEqual(
      expected.map(({ served, label }) => ({ label, probabilities: [...served] })),
    );
    expect(await records()).toEqual(
      expected.map(({ text, clean, served, label, marks }, index) => ({
        sequence: 2 + index,
        tenant: 'acme',
        epoch: 'e1',
        servedAt: now,
        modelVersion: '7',
        input: text,
        clean: [...clean],
        served: [...served],
        label,
        marks,
      })),
    );
    expect(expected.some(({ marks }) => marks.coin !== undefined)).toBe(true);
    expect(expected.some(({ marks }) => marks.coin === undefined)).toBe(true);
  });

  it('answers and logs the same canonical question the same way', async () => {
    const { ask, records } = await pipelineOf();
    const [composed, decomposed] = await ask('acme', 'déjà', 'déjà'.normalize('NFD'));
    expect(decomposed).toEqual(composed);
    expect(await ask('acme', 'déjà')).toEqual([composed]);
    expect((await records()).map(({ input }) => input)).toEqual(Array(3).fill('déjà'));
    await expect(ask('acme', 'lone \uD800')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    expect(await records()).toHaveLength(3);
  });

  it('marks under the epoch that is current, each tenant with its own key', async () => {
    const { keyRing, ask, records } = await pipelineOf(['acme', 'bolt']);
    const first = await ask('acme', 'abacus');
    expect(await ask('bolt', 'abacus')).not.toEqual(first);
    keyRing.addEpoch('acme', now);
    expect(await ask('acme', 'abacus')).not.toEqual(first);
    expect((await records()).map(({ epoch }) => epoch)).toEqual(['e1', 'e2']);
  });

  it('has sealed the profile and each epoch before the first record under it, once', async () => {
    const { keyRing, log, ask, records } = await pipelineOf(['acme', 'bolt']);
    await Promise.all([ask('acme', 'a'), ask('acme', 'b')]);
    keyRing.addEpoch('acme', now);
    await Promise.all([ask('acme', 'c'), ask('bolt', 'd')]);
    await log.close();
    const { seals } = await verifyServingLog(log.directory);
    const [acme, bolt] = await Promise.all([records('acme'), records('bolt')]);
    const firstOf = (epoch: string) => acme.find((record) => record.epoch === epoch)?.sequence ?? 0;
    const expected = [
      ['profile', digestOf(profile), firstOf('e1')],
      ['epoch', keyRing.commitment('acme', 'e1'), firstOf('e1')],
      ['epoch', keyRing.commitment('acme', 'e2'), firstOf('e2')],
      ['epoch', keyRing.commitment('bolt', 'e1'), bolt[0]?.sequence ?? 0],
    ] as const;
    expect(seals).toHaveLength(expected.length);
    for (const [what, digest, before] of expected) {
      const seal = seals.find((each) => `sha256:${each.digest}` === digest);
      expect(seal?.what).toBe(what);
      expect(seal?.sequence).toBeLessThan(before);
    }
  });

  it('serves nothing that the log could not take', async () => {
    const cause = new TouchmarkError('STORE_FULL', 'no room');
    const append = () => Promise.reject(cause);
    const { ask } = await pipelineOf(['acme'], { log: { append } });
    await expect(ask('acme', 'abacus')).rejects.toBe(cause);
  });

  it('serves nothing before the log has it', async () => {
    let logged = (): void => undefined;
    const append = () =>
      new Promise<number[]>((resolve) => {
        logged = () => resolve([0]);
      });
    const { ask } = await pipelineOf(['acme'], { log: { append } });
    let served = false;
    const answer = ask('acme', 'abacus').then(() => {
      served = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(served).toBe(false);
    logged();
    await answer;
    expect(served).toBe(true);
  });

  it('does not serve once its log is closed', async () => {
    const { ask, log } = await pipelineOf();
    await log.close();
    await expect(ask('acme', 'abacus')).rejects.toThrow();
  });

  it('does not serve a tenant that has no epoch', async () => {
    const { ask, logged } = await pipelineOf();
    await expect(ask('nobody', 'abacus')).rejects.toMatchObject({
      code: 'TENANT_UNKNOWN',
      message: expect.stringContaining('nobody'),
      hint: expect.stringContaining('acme'),
    });
    expect(await logged()).toBe(0);
  });

  it.each([
    ['a sum other than 1', [0.4, 0.4, 0.4, 0.4], /sum to 1\.6, not to 1/, /normalise/],
    ['NaN', [Number.NaN, 0.5, 0.3, 0.2], /probability NaN of class 0/, /softmax/],
    ['a logit', [3.5, -2.5, 0, 0], /probability 3\.5 of class 0/, /softmax/],
    [
      'too few classes',
      [0.5, 0.3, 0.2],
      /3 probabilities for input 1; .* sealed for 4/,
      /one probability per label/,
    ],
    ['too many classes', [0.5, 0.2, 0.1, 0.1, 0.1], /5 probabilities for input 1/, /profile/],
  ])('refuses an upstream that gives %s, and logs nothing', async (_, row, message, hint) => {
    const upstream = upstreamOf(() => [outcome([0.25, 0.25, 0.25, 0.25]), outcome(row)]);
    const { ask, logged } = await pipelineOf(['acme'], { upstream });
    await expect(ask('acme', 'one', 'two')).rejects.toMatchObject({
      code: 'UPSTREAM_ANSWER_INVALID',
      exitCode: 3,
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
    expect(await logged()).toBe(0);
  });

  it.each([
    ['labels only', [{ answer: { label: 'a' } }], 'UPSTREAM_ANSWER_INVALID', /labels only/],
    ['a refusal', [{ missing: 'refused' }], 'UPSTREAM_FAILED', /refused input 0/],
    ['no answer', [], 'UPSTREAM_ANSWER_INVALID', /gave 0 answers to 1 inputs/],
  ] as const)('refuses an upstream that gives %s', async (_, outcomes, code, message) => {
    const { ask, logged } = await pipelineOf(['acme'], { upstream: upstreamOf(() => outcomes) });
    await expect(ask('acme', 'one')).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(await logged()).toBe(0);
  });

  it('is ready when its upstream is', async () => {
    const { pipeline } = await pipelineOf();
    expect(await pipeline.ready()).toBe(true);
    const down: Classifier = {
      ...upstreamOf(() => []),
      describe: () => Promise.reject(new TouchmarkError('SUSPECT_UNREACHABLE', 'down')),
    };
    expect(await (await pipelineOf(['acme'], { upstream: down })).pipeline.ready()).toBe(false);
  });
});
