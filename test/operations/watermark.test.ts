import { describe, expect, it } from 'vitest';
import { FitTally } from '../../src/operations/fit-tally.ts';
import { exportKey } from '../../src/operations/keys-export.ts';
import { detectLines, detectTogether } from '../../src/operations/watermark-detect.ts';
import { embedLines, logitBias } from '../../src/operations/watermark-embed.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import type { TextProfile } from '../../src/watermark/text/profile.ts';
import { tenantIdentifier } from '../../src/watermark/text/tenants/identifiers.ts';
import { openTenantWatermark } from '../../src/watermark/text/tenants/tenant-watermark.ts';
import { foreignTextKey } from '../../src/watermark/text/text-key.ts';
import { openTextWatermark } from '../../src/watermark/text/watermark.ts';
import { drawToken, nativeProfile, randomText } from '../watermark/text/random-text.ts';
import { gather, streamOf, type WatermarkScene, watermarkScene } from './watermark-scene.ts';

const vocabularySize = 500;

function openedBy(scene: WatermarkScene, profile: TextProfile, tenant = 'example') {
  return openTextWatermark(profile, {
    stack: 'touchmark',
    epochKey: scene.ring.epochKey(tenant, 'e1'),
  });
}

function optionsOf(scene: WatermarkScene, profile: TextProfile, tenant = 'example') {
  return {
    configPath: scene.configPath,
    profilePath: scene.write('profile.json', profile),
    tenant,
  };
}

const gumbel = nativeProfile({ scheme: { name: 'gumbel' }, repeats: 'turn' });
const greenList = nativeProfile();
const lineOf = ({ tokens, promptLength }: { tokens: Int32Array; promptLength: number }) => ({
  tokens: [...tokens],
  promptLength,
});

describe('watermark embed', () => {
  it.each([
    ['gumbel', gumbel],
    ['green-list', greenList],
    ['tournament', nativeProfile({ scheme: { name: 'tournament', depth: 8 } })],
  ])('marks %s as the library does, dense and sparse', async (_, profile) => {
    const scene = await watermarkScene();
    const random = seededRandom('embed');
    const logits = Float32Array.from({ length: vocabularySize }, () => random.normal());
    const tokens = [3, 1, 4, 1, 5];
    const candidates = [2, 499, 17, 250];
    const steps = [
      { id: 'dense', tokens, promptLength: 2, logits: [...logits] },
      { tokens, promptLength: 2, candidates, logits: candidates.map((token) => logits[token]) },
      { tokens: [3], promptLength: 1, logits: [0, null, 2] },
    ];
    const [dense, sparse, short] = await gather(
      embedLines(streamOf(steps), optionsOf(scene, profile)),
    );
    const expected = logits.slice();
    const marker = openedBy(scene, profile).marker({ promptLength: 2 });
    marker.mark(expected, Int32Array.from(tokens));
    const finite = (logit: number) => (Number.isFinite(logit) ? logit : null);
    expect(dense).toMatchObject({
      line: 1,
      id: 'dense',
      logits: Array.from(expected, finite),
      marked: true,
    });
    const alone = new Float32Array(vocabularySize).fill(-Infinity);
    for (const token of candidates) alone[token] = logits[token]!;
    openedBy(scene, profile).marker({ promptLength: 2 }).mark(alone, Int32Array.from(tokens));
    expect(sparse).toMatchObject({
      candidates,
      logits: candidates.map((token) => finite(alone[token]!)),
    });
    expect(short).toMatchObject({ logits: [0, null, 2], marked: false });
    if (profile === gumbel) {
      expect(sparse).toHaveProperty(
        'chosen',
        candidates.find((token) => alone[token] === 0),
      );
      expect(dense).toHaveProperty('chosen', expected.indexOf(0));
    }
  });

  it('marks a whole generation line by line, so that detection finds it', async () => {
    const scene = await watermarkScene(['other']);
    const options = optionsOf(scene, gumbel);
    const random = seededRandom('steps');
    const tokens = [1, 2];
    while (tokens.length < 40) {
      const logits = Array.from({ length: vocabularySize }, () => 2 * random.normal());
      const [step] = await gather(
        embedLines(streamOf([{ tokens, promptLength: 2, logits }]), options),
      );
      if (step === undefined || 'error' in step) throw new Error('no step');
      tokens.push(step.chosen ?? drawToken(Float32Array.from(logits), random));
    }
    const fit = new FitTally();
    const found = await gather(
      detectLines({ ...streamOf([{ tokens, promptLength: 2 }]), fit }, options),
    );
    expect(found).toMatchObject([{ line: 1, scored: 38, skipped: { prompt: 2 }, expected: 1 }]);
    expect(found[0]).toHaveProperty(
      'log10P',
      expect.toSatisfy((log10P: number) => log10P < -12),
    );
    const other = optionsOf(scene, gumbel, 'other');
    const [innocent] = await gather(
      detectLines({ ...streamOf([{ tokens, promptLength: 2 }]), fit }, other),
    );
    expect(innocent).toHaveProperty(
      'log10P',
      expect.toSatisfy((log10P: number) => log10P > -3),
    );
  });

  it.each([
    [{ tokens: [1, 2], promptLength: 3, logits: [0] }, /promptLength is 3/],
    [{ tokens: [1], promptLength: 1, candidates: [1, 2], logits: [0] }, /2 candidates have 1/],
    [{ tokens: [1], promptLength: 1, candidates: [500], logits: [0] }, /500 is outside 0 to 499/],
    [{ tokens: [1], promptLength: 1, candidates: [2, 2], logits: [0, 0] }, /occurs twice/],
    [{ tokens: [1], promptLength: 1, logits: [] }, /logits/],
    [{ tokens: [1], promptLength: 1, logits: ['1'] }, /logits/],
    [{ tokens: [1], promptLength: 1, logits: [1e39] }, /logits/],
    [{ tokens: [2 ** 31], promptLength: 0, logits: [1] }, /tokens/],
    [{ tokens: [1], promptLength: 1, logits: [1], temperature: 0 }, /temperature/],
    [{ promptLength: 1, logits: [1] }, /tokens/],
    [[], /the line/],
  ])('refuses %j in its place', async (line, message) => {
    const scene = await watermarkScene();
    const stream = streamOf([line]);
    const results = await gather(embedLines(stream, optionsOf(scene, greenList)));
    expect(results).toMatchObject([
      { line: 1, error: { code: 'INPUT_INVALID', message: expect.stringMatching(message) } },
    ]);
    expect(stream.counts.failed).toBe(1);
  });

  it('leaves logits beyond the vocabulary, and steps without candidates, as they are', async () => {
    const scene = await watermarkScene();
    const logits = Array.from({ length: vocabularySize + 3 }, () => 0);
    const steps = [
      { tokens: [1, 2, 3], promptLength: 2, logits },
      { tokens: [1, 2, 3], promptLength: 2, candidates: [4, 5], logits: [null, null] },
    ];
    const [long, nothing] = await gather(embedLines(streamOf(steps), optionsOf(scene, greenList)));
    expect(long).toHaveProperty(
      'logits',
      expect.toSatisfy((all: number[]) => all.slice(-3).every((each) => each === 0)),
    );
    expect(nothing).toMatchObject({ logits: [null, null], marked: false });
  });
});

describe('watermark embed --logit-bias', () => {
  const fixed = nativeProfile({
    scheme: { name: 'fixed-green-list', gamma: 0.5, delta: 2 },
    prf: { name: 'native', contextWidth: 0 },
  });

  it('gives every green token the delta, so that a server without keys embeds the mark', async () => {
    const scene = await watermarkScene();
    const bias = await logitBias(optionsOf(scene, fixed));
    expect(new Set(Object.values(bias))).toEqual(new Set([2]));
    const random = seededRandom('biased');
    const tokens = Array.from({ length: 300 }, () =>
      drawToken(
        Float32Array.from(
          { length: vocabularySize },
          (_, token) => random.normal() + (bias[token] ?? 0),
        ),
        random,
      ),
    );
    const result = await detectTogether(streamOf([{ tokens, promptLength: 0 }]), {
      ...optionsOf(scene, fixed),
      onFailure: () => undefined,
    });
    expect(result.scored).toBe(new Set(tokens).size);
    expect(result.log10P).toBeLessThan(-6);
  });

  it('stops at a limit, lowest ids first', async () => {
    const scene = await watermarkScene();
    const options = optionsOf(scene, fixed);
    const all = Object.keys(await logitBias(options));
    expect(Object.keys(await logitBias({ ...options, limit: 20 }))).toEqual(all.slice(0, 20));
  });

  it('refuses lists that depend on a context', async () => {
    const scene = await watermarkScene();
    await expect(logitBias(optionsOf(scene, greenList))).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('watermark detect', () => {
  const detect = async (scene: WatermarkScene, profile: TextProfile, lines: readonly unknown[]) => {
    const fit = new FitTally();
    const results = await gather(
      detectLines({ ...streamOf(lines), fit }, optionsOf(scene, profile)),
    );
    return { results, fit: fit.summaries };
  };

  it('says what was checked, and loudly what could not be', async () => {
    const scene = await watermarkScene();
    const text = randomText('checked', 60, vocabularySize, openedBy(scene, greenList), [7, 8]);
    const { results, fit } = await detect(scene, greenList, [
      { tokens: [...text.tokens], tokenizer: 'another' },
      { ...lineOf(text), tokenizer: 'test' },
    ]);
    const outcomes = results.map((each) =>
      'checks' in each
        ? Object.fromEntries(each.checks.map(({ check, outcome }) => [check, outcome]))
        : each,
    );
    expect(outcomes).toMatchObject([
      { prompt: 'not checked', tokenizer: 'failed', 're-encoding': 'not checked' },
      { prompt: 'passed', tokenizer: 'passed', 'token ids': 'passed' },
    ]);
    expect(fit.find(({ check }) => check === 'prompt')).toMatchObject({
      passed: 1,
      notChecked: 1,
      failed: 0,
      detail: expect.stringContaining('prompt is not known'),
    });
  });

  it('takes text with the built-in tokenizer, and its prompt as text or ids', async () => {
    const scene = await watermarkScene();
    const profile = nativeProfile({
      tokenizer: { name: 'gpt-tokenizer:r50k_base', vocabularySize: 50_257 },
    });
    const { results } = await detect(scene, profile, [
      { text: ' hello world <|endoftext|>', prompt: 'Say' },
      { text: ' hello world <|endoftext|>', prompt: [25515] },
      { text: '' },
      { text: 'x', promptLength: 1 },
    ]);
    const [byText, byIds, empty, refused] = results.map(({ line: _line, ...rest }) => rest);
    expect(byText).toMatchObject({ scored: 8, skipped: { prompt: 1, 'context too short': 1 } });
    expect(byIds).toEqual(byText);
    expect(empty).toMatchObject({ scored: 0, log10P: 0, log10E: 0 });
    expect(refused).toMatchObject({
      error: { message: expect.stringContaining('give the prompt') },
    });
  });

  it.each([
    [{ text: 'a' }, /tokenizer is not at hand/],
    [{ tokens: [1], text: 'a' }, /either tokens or text/],
    [{ tokens: [1], prompt: [1], promptLength: 1 }, /either prompt or promptLength/],
    [{ tokens: [1], promptLength: 2 }, /promptLength is 2/],
    [{ tokens: [0.5] }, /token ids/],
    [{ tokens: [1], id: [] }, /id/],
    [{ tokens: ['1'] }, /token ids/],
    [null, /the line/],
  ])('refuses %j in its place', async (line, message) => {
    const scene = await watermarkScene();
    const { results } = await detect(scene, greenList, [line]);
    expect(results).toMatchObject([{ error: { message: expect.stringMatching(message) } }]);
  });

  it('refuses lists a million deep', async () => {
    const scene = await watermarkScene();
    const nested = '['.repeat(1e6) + ']'.repeat(1e6);
    const lines = [`{"tokens": ${nested}}`, `{"tokens": [1], "id": ${nested}}`, nested];
    const { results } = await detect(scene, greenList, lines);
    expect(results).toMatchObject([1, 2, 3].map((line) => ({ line, error: {} })));
  });

  it('gives defined results for ids out of range and texts shorter than the context', async () => {
    const scene = await watermarkScene();
    const { results } = await detect(scene, greenList, [
      { tokens: [1, 2, -5, 4, 600, 6], promptLength: 0 },
      { tokens: [1], promptLength: 0 },
    ]);
    expect(results).toMatchObject([
      { scored: 0, skipped: { 'context too short': 2, 'token out of range': 4 } },
      { scored: 0, skipped: { 'context too short': 1 }, log10P: 0 },
    ]);
  });

  it('says what the other stack prints, and reads its key from a file or a variable', async () => {
    const scene = await watermarkScene();
    const profile = nativeProfile({
      scheme: { name: 'gumbel' },
      prf: { name: 'vllm-philox', contextWidth: 4, keys: 'single' },
      repeats: 'turn',
    });
    const mark = openTextWatermark(profile, { stack: 'vllm', key: 12345678901234567890n });
    const text = randomText('vllm', 40, vocabularySize, mark, [1, 2]);
    const key = '{"stack": "vllm", "key": "12345678901234567890"}';
    const profilePath = scene.write('profile.json', profile);
    const { configPath } = scene;
    const fromFile = { configPath, profilePath, keyFile: scene.write('key.json', key, 0o600) };
    const fromVariable = { configPath, profilePath, keyVariable: 'KEY', environment: { KEY: key } };
    for (const options of [fromFile, fromVariable]) {
      const stream = { ...streamOf([lineOf(text)]), fit: new FitTally() };
      const [found] = await gather(detectLines(stream, options));
      expect(found).toHaveProperty(
        'log10P',
        expect.toSatisfy((log10P: number) => log10P < -12),
      );
      expect(found).toMatchObject({ reportedElsewhere: { stack: 'vllm' } });
    }
  });

  it('opens the key of a ring in the form of the stack, and an exported bundle alike', async () => {
    const scene = await watermarkScene();
    const out = `${scene.directory}/bundle.json`;
    await exportKey({ configPath: scene.configPath, tenant: 'example', epoch: 'e1', out });
    for (const profile of [
      gumbel,
      nativeProfile({ prf: { name: 'hugging-face', seeding: 'lefthash', contextWidth: 1 } }),
    ]) {
      const { tenant: _tenant, ...options } = optionsOf(scene, profile);
      const line = { tokens: Array.from({ length: 50 }, (_, at) => (at * at * 31) % 499) };
      const run = async (key: { tenant: string } | { keyFile: string }) =>
        gather(detectLines({ ...streamOf([line]), fit: new FitTally() }, { ...options, ...key }));
      const [[fromRing], [fromBundle]] = [
        await run({ tenant: 'example' }),
        await run({ keyFile: out }),
      ];
      expect(fromRing).toHaveProperty(
        'scored',
        expect.toSatisfy((scored: number) => scored > 30),
      );
      expect(fromBundle).toEqual(fromRing);
    }
  });

  it('takes profile and key from what was exported for another server', async () => {
    const scene = await watermarkScene();
    const { configPath } = scene;
    const out = `${scene.directory}/vllm.json`;
    const epoch = { configPath, tenant: 'example', epoch: 'e1' };
    await exportKey({ ...epoch, format: 'vllm', out });
    const mark = openTextWatermark(
      nativeProfile({
        scheme: { name: 'gumbel' },
        prf: { name: 'vllm-philox', contextWidth: 4, keys: 'single' },
        repeats: 'turn',
      }),
      foreignTextKey(scene.ring.epochKey('example', 'e1'), 'vllm'),
    );
    const line = lineOf(randomText('exported', 40, vocabularySize, mark, [1, 2]));
    const stream = { ...streamOf([line]), fit: new FitTally() };
    const [found] = await gather(
      detectLines(stream, { configPath, profilePath: out, keyFile: out }),
    );
    expect(found).toHaveProperty(
      'log10P',
      expect.toSatisfy((log10P: number) => log10P < -12),
    );
  });

  it('finds a wrong context width when asked to look at neighbours', async () => {
    const scene = await watermarkScene();
    const text = randomText('wide', 80, vocabularySize, openedBy(scene, greenList), [7, 8]);
    const wrong = nativeProfile({ prf: { name: 'native', contextWidth: 3 } });
    const stream = { ...streamOf([lineOf(text)]), fit: new FitTally() };
    const [found] = await gather(
      detectLines(stream, { ...optionsOf(scene, wrong), diagnose: true }),
    );
    expect(found).toMatchObject({
      neighbours: expect.arrayContaining([
        { change: 'context width 2 instead of 3', log10P: expect.any(Number) },
      ]),
    });
  });

  it('reads the tokenizer of a folder', async () => {
    const scene = await watermarkScene();
    const { tinyTokenizer, tinyTokenizerConfig } = await import(
      '../models/tokenizers/tiny-tokenizer.ts'
    );
    scene.write('tokenizer.json', tinyTokenizer);
    scene.write('tokenizer_config.json', tinyTokenizerConfig);
    const profile = nativeProfile({ tokenizer: { name: 'tiny', vocabularySize: 64 } });
    const stream = {
      ...streamOf([{ text: 'the cat, the hat', prompt: 'a' }]),
      fit: new FitTally(),
    };
    const [found] = await gather(
      detectLines(stream, { ...optionsOf(scene, profile), tokenizerFolder: scene.directory }),
    );
    expect(found).toMatchObject({ scored: 10, skipped: { prompt: 1, 'context too short': 1 } });
  });
});

describe('watermark detect --together', () => {
  const together = (
    scene: WatermarkScene,
    lines: readonly unknown[],
    { tenant = 'example', mostPairs = 2 ** 22 } = {},
  ) =>
    detectTogether(streamOf(lines), {
      ...optionsOf(scene, greenList, tenant),
      mostPairs,
      onFailure: () => undefined,
    });

  it('counts a pair once over all texts', async () => {
    const scene = await watermarkScene();
    const mark = openedBy(scene, greenList);
    const [one, two] = ['one', 'two'].map((seed) => lineOf(randomText(seed, 80, 500, mark, [1])));
    const once = await together(scene, [one, two]);
    const twice = await together(scene, [one, two, one, 'not JSON', two]);
    expect(twice).toMatchObject({
      texts: 4,
      scored: once.scored,
      log10P: once.log10P,
      failedLines: 1,
      skipped: { 'repeated pair': once.scored },
    });
    expect(once.log10P).toBeLessThan(-6);
  });

  it('leaves later texts out once its memory is full, the same whatever the key', async () => {
    const scene = await watermarkScene(['other']);
    const texts = Array.from({ length: 30 }, (_, index) => lineOf(randomText(`${index}`, 50, 500)));
    const bounded = await together(scene, texts, { mostPairs: 200 });
    const otherKey = await together(scene, texts, { mostPairs: 200, tenant: 'other' });
    expect(bounded.scored).toBeGreaterThan(150);
    expect(bounded.scored).toBeLessThan(250);
    expect(bounded.skipped['memory full']).toBeGreaterThan(1000);
    expect({ ...otherKey, mean: 0, log10P: 0, log10E: 0, bans: 0 }).toEqual({
      ...bounded,
      mean: 0,
      log10P: 0,
      log10E: 0,
      bans: 0,
    });
  });

  it.each([[[]], [['nonsense', '{}']]])('has nothing to say about %j', async (lines) => {
    const scene = await watermarkScene();
    await expect(together(scene, lines)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});

describe('watermark detect under layers that tenants share', () => {
  it('finds the mark under the key of an innocent tenant, and counts nothing', async () => {
    const scene = await watermarkScene(['innocent', 'everybody']);
    const profile = nativeProfile({
      scheme: { name: 'green-list', gamma: 0.5, delta: 3 },
      tenants: { identifierBits: 20, layers: { common: 8, code: 4, own: 4 } },
    });
    const [commonKey, ownKey] = ['everybody', 'example'].map((tenant) =>
      scene.ring.epochKey(tenant, 'e1'),
    );
    const identifier = tenantIdentifier(0, 20);
    const mark = openTenantWatermark(profile, {
      commonKey: commonKey!,
      identifier,
      ownKey: ownKey!,
    });
    const line = lineOf(randomText('shared', 600, vocabularySize, mark, [1]));
    const options = { ...optionsOf(scene, profile, 'innocent'), commonTenant: 'everybody' };
    const [single] = await gather(
      detectLines({ ...streamOf([line]), fit: new FitTally() }, options),
    );
    expect(single).toMatchObject({ bans: 0 });
    if (single === undefined || 'error' in single) throw new Error('the line is a text');
    expect(single.log10E).toBeGreaterThan(3);
    expect(single.checks).toContainEqual(
      expect.objectContaining({ check: 'layers', outcome: 'failed' }),
    );
    const all = await detectTogether(streamOf([line]), { ...options, onFailure: () => undefined });
    expect(all.bans).toBe(0);
  });
});

describe('what opens a mark', () => {
  const run = (options: Parameters<typeof embedLines>[1]) =>
    gather(embedLines(streamOf([]), options));

  it.each([
    ['no key', {}, 'USAGE'],
    ['two keys', { tenant: 'example', keyVariable: 'KEY' }, 'USAGE'],
    ['an unknown tenant', { tenant: 'nobody' }, 'TENANT_UNKNOWN'],
    ['an unknown epoch', { tenant: 'example', epoch: 'e7' }, 'EPOCH_UNKNOWN'],
    ['a variable that is not set', { keyVariable: 'NOT_SET' }, 'USAGE'],
    ['a key of another stack', { keyVariable: 'KEY' }, 'CONFIG_INVALID'],
    ['a key that is no key', { keyVariable: 'BROKEN' }, 'INPUT_INVALID'],
    ['a key that is no JSON', { keyVariable: 'TEXT' }, 'CONFIG_INVALID'],
    ['no key file', { keyFile: 'nowhere.json' }, 'CONFIG_INVALID'],
  ])('refuses %s, without a secret', async (_, key, code) => {
    const scene = await watermarkScene();
    const environment = {
      KEY: '{"stack": "vllm", "key": "1234567890"}',
      BROKEN: '{"stack": "vllm", "kay": "1234567890"}',
      TEXT: '{"stack": "vllm", "key": "1234567890',
    };
    const profilePath = scene.write('profile.json', greenList);
    const error: unknown = await run({
      configPath: scene.configPath,
      profilePath,
      environment,
      ...key,
    }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code });
    expect(JSON.stringify([String(error), error])).not.toContain('1234567890');
  });

  it('refuses a key file that others may read, and profiles that are none', async () => {
    const scene = await watermarkScene();
    const { configPath } = scene;
    const profilePath = scene.write('profile.json', greenList);
    const keyFile = scene.write('key.json', '{"stack": "vllm", "key": "1"}', 0o644);
    await expect(run({ configPath, profilePath, keyFile })).rejects.toMatchObject({
      code: 'KEY_RING_PERMISSIONS',
    });
    for (const content of ['{', '{}', { ...greenList, schema: 'touchmark/text-profile@9' }]) {
      const options = {
        configPath,
        profilePath: scene.write('bad.json', content),
        tenant: 'example',
      };
      await expect(run(options)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    }
  });
});
