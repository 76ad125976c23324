import type { TextConfig } from '../config/text.ts';
import type { LanguageModel, Progress, Tokenizer } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { chooseBiasedTokens } from '../watermark/text/api/choose-tokens.ts';
import type { TextProfile } from '../watermark/text/profile.ts';
import { listFor } from './watermark-choose.ts';

/** Unmarked answers that the tokens of a list are chosen from, and how long each is at most. */
const mostAnswers = 400;
const answerTokens = 200;
/** With fewer tokens the choice is poor. */
const tokensWanted = 20_000;
const askedAtOnce = 4;
/** Tokens that drafts are compared by; no server has to take them. */
const draftEntries = 1_024;

/** Asked where the owner has no questions yet: they make a list that suits any English text. */
const everyday = [
  'Tell me about your town.',
  'Explain how bread is made.',
  'Write a short letter to a friend.',
  'Describe the weather in autumn.',
  'What makes a good book?',
  'How do planes fly?',
  'Tell me a story about a dog.',
  'Give advice to a new student.',
];

export interface TextSealingOptions {
  readonly text: TextConfig;
  readonly tokenizer: Tokenizer;
  /** The protected model, without a mark. */
  readonly model: LanguageModel;
  /** The owner's questions, like its traffic. */
  readonly questions: readonly string[];
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly onNotice: (text: string) => void;
}

/**
 * Returns the profile to seal: the tokens that carry most in the model's own unmarked answers, biased as
 * far as the total variation allows, or counted in drafts, which shows more in students than a choice by
 * contexts does. No key is asked for.
 *
 * @throws TouchmarkError UPSTREAM_FAILED when the model does not answer
 */
export async function sealTextProfile(options: TextSealingOptions): Promise<TextProfile> {
  const { text, tokenizer, questions, onNotice } = options;
  const { name, vocabularySize } = tokenizer;
  const base = { schema: 'touchmark/text-profile@1', tokenizer: { name, vocabularySize } } as const;
  const answers = await sample(options);
  const tokens = answers.reduce((sum, answer) => sum + answer.tokens.length, 0);
  if (questions.length === 0 || tokens < tokensWanted) {
    onNotice(
      `the mark was chosen from ${tokens} unmarked tokens in answer to ${questions.length} questions of inputs/twin.txt; with ${tokensWanted} or more, like your traffic, it is stronger. It is sealed now and stays.`,
    );
  }
  const entries = text.mark === 'drafts' ? draftEntries : text.biasEntries;
  const choice = chooseBiasedTokens(answers, entries);
  return listFor(base, choice, { variation: text.totalVariation }).profile;
}

async function sample(options: TextSealingOptions) {
  const { model, tokenizer, questions, signal, progress } = options;
  const asked = (questions.length > 0 ? questions : everyday).slice(0, mostAnswers);
  const sampling = { maxTokens: answerTokens, temperature: 1 };
  const answers: { readonly tokens: readonly number[] }[] = [];
  for (let from = 0; from < asked.length; from += askedAtOnce) {
    const batch = asked.slice(from, from + askedAtOnce);
    const outcomes = await Promise.all(
      batch.map((question) => model.complete([question], { sampling, signal })),
    );
    for (const outcome of outcomes.flat()) {
      if ('answer' in outcome) answers.push({ tokens: tokenizer.encode(outcome.answer.text) });
    }
    progress('asking the protected model', from + batch.length, asked.length);
  }
  if (answers.some(({ tokens }) => tokens.length > 0)) return answers;
  throw new TouchmarkError('UPSTREAM_FAILED', 'The model answered none of the questions.', {
    hint: 'Ask it directly, without the gateway, and see what it says.',
  });
}
