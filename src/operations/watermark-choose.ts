import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';
import {
  type BiasedChoice,
  biasForVariation,
  chooseBiasedTokens,
  type UnmarkedAnswer,
} from '../watermark/text/api/choose-tokens.ts';
import { parseTextProfile, type TextProfile } from '../watermark/text/profile.ts';
import { type FailedLine, type LineStream, lineError, mapJsonLines } from './json-lines.ts';
import { readLine, readText } from './watermark-line.ts';
import { findTokenizer, readTextProfile } from './watermark-open.ts';

export interface ChooseOptions {
  /** A profile with the served model's tokenizer; the rest of it is not read. */
  readonly profilePath: string;
  readonly tokenizerFolder?: string;
  /** The most tokens that the API's logit_bias takes. */
  readonly limit: number;
  /** How strong: the logits to add or take, or the mean total variation that they may cost. */
  readonly strength: { readonly bias: number } | { readonly variation: number };
  readonly onFailure: (failure: FailedLine) => void;
}

/** A profile with a biased list, and what it costs. */
export interface ChosenList {
  readonly profile: TextProfile;
  /** Mean total variation of next-token distributions, at most, to first order. */
  readonly variation: number;
  /** Total variation of any one of them, at most. */
  readonly largestVariation: number;
}

/** Log-probabilities are what APIs give. */
const scoresSchema = z.looseObject({ logProbabilities: z.array(z.number().max(1e-6)).optional() });

/**
 * Chooses the tokens of a biased list from unmarked answers of the model, without any key. Lines are
 * those of `readText`, with `logProbabilities` of the output's tokens where the API gives them.
 *
 * @throws TouchmarkError USAGE for a limit or strength out of range; CONFIG_INVALID for the profile;
 *   INPUT_INVALID when the answers are too few
 */
export async function chooseList(stream: LineStream, options: ChooseOptions): Promise<ChosenList> {
  const { limit, strength, profilePath, tokenizerFolder, onFailure } = options;
  requireRange('limit', limit, Number.isInteger(limit) && limit >= 1);
  for (const [name, value] of Object.entries(strength)) {
    requireRange(name, value, value > 0 && value < (name === 'bias' ? 25 : 1));
  }
  const base = await readTextProfile(profilePath);
  const tokenizer = await findTokenizer(base, tokenizerFolder);
  const answers: UnmarkedAnswer[] = [];
  const none = {};
  const batches = mapJsonLines(stream, (value) => {
    const { logProbabilities, ...line } = readLine(scoresSchema, value);
    const { text } = readText(line, tokenizer);
    const probabilities = logProbabilities?.map((logit) => Math.min(1, Math.exp(logit)));
    const tokens = text.tokens.subarray(text.promptLength);
    if (probabilities && probabilities.length !== tokens.length) {
      throw lineError(
        `${tokens.length} tokens of output have ${probabilities.length} logProbabilities.`,
        "See whether the profile's tokenizer is the model's.",
      );
    }
    answers.push({ tokens, ...(probabilities && { probabilities }) });
    return none;
  });
  for await (const batch of batches) {
    for (const each of batch) if ('error' in each) onFailure(each);
  }
  return listFor(base, chooseBiasedTokens(answers, limit), strength);
}

/** Returns the profile that biases the chosen tokens, and what it costs. */
export function listFor(
  { schema, tokenizer }: Pick<TextProfile, 'schema' | 'tokenizer'>,
  choice: BiasedChoice,
  strength: ChooseOptions['strength'],
): ChosenList {
  const bias =
    'bias' in strength ? strength.bias : rounded(biasForVariation(strength.variation, choice));
  const tokens = choice.tokens.map(({ id, expected }) => ({ id, expected: rounded(expected) }));
  const profile = parseTextProfile(
    {
      schema,
      scheme: { name: 'biased-list', bias, tokens },
      prf: { name: 'native', contextWidth: 0 },
      repeats: 'mark',
      tokenizer,
    },
    'The chosen list',
  );
  const largestVariation = Math.tanh(bias / 2);
  const variation = Math.min(largestVariation, (bias / 2) * Math.sqrt(choice.freedom));
  return { profile, variation, largestVariation };
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

function requireRange(name: string, value: number, holds: boolean): void {
  if (holds) return;
  throw new TouchmarkError('USAGE', `The ${name} ${value} is out of range.`, {
    hint: 'Give a --limit of 1 or more tokens, and a --bias above 0 and below 25 or a --variation between 0 and 1.',
  });
}
