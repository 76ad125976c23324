import { describe, expect, it } from 'vitest';
import { packAnswers } from '../../src/fingerprints/classifier-answers.ts';
import { compareFingerprints } from '../../src/fingerprints/compare.ts';
import {
  parseFingerprint,
  parseProbeSet,
  renderDocument,
} from '../../src/fingerprints/documents.ts';
import type {
  ClassifierFingerprint,
  LanguageFingerprint,
} from '../../src/fingerprints/fingerprint.ts';
import type { LanguageProbeSet } from '../../src/fingerprints/language-probe-set.ts';
import { type ClassifierProbeSet, probeSetId } from '../../src/fingerprints/probe-set.ts';
import { summarise } from '../../src/fingerprints/summary.ts';

const probes: ClassifierProbeSet = {
  schema: 'touchmark/probe-set@1',
  task: 'classify',
  name: 'shapes',
  labels: ['circle', 'square', 'triangle'],
  questions: Array.from({ length: 6 }, (_, index) => ({ input: `shape ${index}`, expected: 0 })),
  pairs: [[0, 5]],
  depth: 4,
  repeated: 2,
  timed: 0,
};
const numbers = {
  labels: Int16Array.of(0, 1, 2, -1, -2, 0),
  again: Int16Array.of(0, 2),
  crossings: Float32Array.of(0.5),
};

function fingerprint(
  answers: Partial<Parameters<typeof packAnswers>[0]> = {},
  more: Partial<ClassifierFingerprint> = {},
): ClassifierFingerprint {
  return {
    schema: 'touchmark/fingerprint@1',
    task: 'classify',
    model: { name: 'm', version: null, address: null },
    probeSet: probeSetId(probes),
    takenAt: '2026-01-01T00:00:00Z',
    toolkit: '0',
    labels: probes.labels,
    outcomes: { answered: 5, refused: 1, failed: 0, unsupported: 0, outside: 1 },
    answers: packAnswers({ ...numbers, ...answers }),
    ...more,
  };
}

const language: LanguageFingerprint = {
  ...fingerprint(),
  task: 'language',
  answers: { completions: [] },
} as unknown as LanguageFingerprint;

describe('fingerprints', () => {
  it('count answers, and repeated ones that are alike', () => {
    expect(summarise(fingerprint(), probes)).toEqual({
      questions: 6,
      answered: 5,
      steadiness: 0.5,
    });
    const unknown = fingerprint({ again: Int16Array.of(-2, -2) });
    expect(summarise(unknown, probes)).toMatchObject({ steadiness: null });
  });

  it.each<[string, ClassifierFingerprint | LanguageFingerprint, RegExp, RegExp]>([
    ['tasks', language, /"m" is a classifier and "m" a language model/, /same work/],
    [
      'probe sets',
      fingerprint({}, { probeSet: 'probes-0123456789abcdef' }),
      /"m" was asked probes-\w+ and "m" probes-0123456789abcdef/,
      /--probes probes-/,
    ],
    [
      'label sets',
      fingerprint({}, { labels: ['circle', 'square', 'a\u001b[31m\nb', 'x', 'y', 'z', 'w'] }),
      /only "m" has "triangle"; only "m" has "a\\u001b\[31m\\nb", "x", "y", "z" and 1 more/,
      /audit\.labelMap/,
    ],
    [
      'orders of labels',
      fingerprint({}, { labels: ['square', 'circle', 'triangle'] }),
      /another order/,
      /one probe set/,
    ],
  ])('of other %s cannot be compared', (_, other, message, hint) => {
    const code = 'FINGERPRINTS_INCOMPARABLE';
    const refused = { code, exitCode: 2 };
    const compare = () => compareFingerprints(fingerprint(), other, probes);
    expect(compare).toThrow(expect.objectContaining(refused));
    expect(compare).toThrow(message);
    expect(compare).toThrow(expect.objectContaining({ hint: expect.stringMatching(hint) }));
  });

  it('cannot be compared by other questions than they were asked', () => {
    const others = { ...probes, name: 'others' };
    expect(() => compareFingerprints(fingerprint(), fingerprint(), others)).toThrow(
      /they were asked probes-\w+, and the probe set given is probes-/,
    );
  });

  it.each<[string, Parameters<typeof fingerprint>[0]]>([
    ['labels has 5 numbers, not 6', { labels: new Int16Array(5) }],
    ['labels has a number out of range', { labels: Int16Array.of(0, 1, 2, 3, 0, 0) }],
    ['labels has a number out of range', { labels: Int16Array.of(0, 1, 2, -3, 0, 0) }],
    ['again has 3 numbers, not 2', { again: new Int16Array(3) }],
    ['probabilities has 17 numbers, not 18', { probabilities: new Float32Array(17) }],
    ['probabilities has a number', { probabilities: new Float32Array(18).fill(Number.NaN) }],
    ['probabilities has a number', { probabilities: new Float32Array(18).fill(-0.5) }],
    ['probabilities has a number', { probabilities: new Float32Array(18).fill(Infinity) }],
    ['crossings has a number', { crossings: Float32Array.of(1.5) }],
    ['milliseconds has 3 numbers, not 0', { milliseconds: new Float32Array(3) }],
  ])('of answers that do not fit are refused: %s', (why, answers) => {
    const hostile = fingerprint(answers);
    const code = 'FINGERPRINT_INVALID';
    for (const pair of [[hostile, fingerprint()] as const, [fingerprint(), hostile] as const]) {
      const compare = () => compareFingerprints(...pair, probes);
      expect(compare).toThrow(expect.objectContaining({ code }));
      expect(compare).toThrow(why);
    }
  });

  it('of half a number are refused', () => {
    const hostile = fingerprint();
    const broken = { ...hostile, answers: { ...hostile.answers, labels: 'AAAA' } };
    expect(() => compareFingerprints(hostile, broken, probes)).toThrow('they are no whole numbers');
  });
});

describe('fingerprints of language models', () => {
  const asked: LanguageProbeSet = {
    schema: 'touchmark/probe-set@1',
    task: 'language',
    name: 'prompts',
    prompts: [
      { text: 'The weather', kind: 'open' },
      { text: 'My name', kind: 'open' },
    ],
    temperatures: [0, 1],
    samples: 2,
    maxTokens: 8,
    contexts: [],
    tokenizer: null,
    top: 5,
  };
  const speaking = (completions: LanguageFingerprint['answers']['completions']) => ({
    ...language,
    probeSet: probeSetId(asked),
    answers: { completions },
  });
  const texts = [
    [
      ['is fine today.', 'is fine today.'],
      ['is Ada, I think.', 'is Bob.'],
    ],
    [
      ['was fine, and then it rained.', null],
      ['is short.', 'is long.'],
    ],
  ];

  it('compare with themselves as alike, and say what the probe set has no questions for', () => {
    const model = speaking(texts);
    const quirks = compareFingerprints(model, model, asked);
    const habits = quirks.find(({ name }) => name === 'token-habits');
    expect(habits!.likeness).toBeCloseTo(1, 9);
    const refusals = quirks.find(({ name }) => name === 'refusal-style');
    expect(refusals).toMatchObject({
      likeness: null,
      why: 'the probe set has no questions for it',
    });
    expect(summarise(model, asked)).toEqual({ questions: 8, answered: 7, steadiness: 0.5 });
  });

  it('are refused when they have another shape than what was asked', () => {
    for (const completions of [texts.slice(1), [texts[0]!.slice(1), texts[1]!], []]) {
      expect(() => compareFingerprints(speaking(texts), speaking(completions), asked)).toThrow(
        'completions are not as many as were asked for',
      );
    }
  });
});

describe('files of fingerprints', () => {
  const text = renderDocument(fingerprint());
  const { id } = parseFingerprint(text, 'here');

  it('may not ask for more times than can be ranked', () => {
    const questions = Array.from({ length: 1001 }, (_, index) => ({ input: `${index}` }));
    const many = (timed: number) => renderDocument({ ...probes, questions, timed });
    expect(parseProbeSet(many(1000), 'here').document).toMatchObject({ timed: 1000 });
    expect(() => parseProbeSet(many(1001), 'here')).toThrow('timed: more than 1000');
  });

  it('are what was written, under the name of their hash', () => {
    expect(parseFingerprint(text, `folder/${id}.json`).document).toEqual(fingerprint());
    expect(id).toMatch(/^fingerprint-[0-9a-f]{16}$/);
  });

  it.each([
    ['edited', text.replace('"name": "m"', '"name": "n"'), /was edited.*fingerprint-/, /again/],
    [
      'older',
      text.replace('fingerprint@1', 'fingerprint@0'),
      /@0, which is older/,
      /Take .* again/,
    ],
    ['newer', text.replace('fingerprint@1', 'fingerprint@2'), /@2, which is newer/, /Update/],
    [
      'another document',
      text.replace('fingerprint@1', 'probe-set@1'),
      /it is a touchmark/,
      /schema/,
    ],
    ['no document', '[1]', /is no fingerprint$/, /schema/],
    ['null', 'null', /is no fingerprint$/, /schema/],
    ['cut short', text.slice(0, -9), /not complete JSON/, /source/],
    [
      'with a field of its own',
      text.replace('"toolkit"', '"x": 1, "toolkit"'),
      /no valid/,
      /edited/,
    ],
    [
      'with no numbers',
      text.replace(/"labels": "[^"]*"/, '"labels": "%"'),
      /answers\.labels/,
      /edit/,
    ],
  ])('that are %s are refused by name', (_, changed, message, hint) => {
    const where = `folder/${id}.json`;
    const read = () => parseFingerprint(changed, where);
    expect(read).toThrow(expect.objectContaining({ code: 'FINGERPRINT_INVALID' }));
    expect(read).toThrow(where);
    expect(read).toThrow(message);
    expect(read).toThrow(expect.objectContaining({ hint: expect.stringMatching(hint) }));
  });
});
