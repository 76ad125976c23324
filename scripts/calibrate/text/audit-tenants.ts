import type { LanguageModel } from '../../../src/contracts.ts';
import { type SeededRandom, seededRandom } from '../../../src/stats/sampling.ts';
import type { TokenText } from '../../../src/watermark/text/token-pairs.ts';
import { signal, vocabularySize, writeText } from '../../../test/audit/text-scene.ts';

/** A tenant's use of the marked model before an audit. */
export interface TextCampaign {
  readonly marked: LanguageModel;
  /** The model that will be audited: the tenant may know it. */
  readonly suspect: LanguageModel;
  readonly seed: string;
}

export type TextTenant = (campaign: TextCampaign) => Promise<TokenText[]>;

const texts = 5;
const answerTokens = 50;
const shortAnswers = { most: 24, tokens: 10 } as const;
const promptTokens = 6;
const piecesCompared = 4;
const echoes = 40;
const familiarTokens = 400;

/** Asks prompts of the language, whatever the answers. */
export const plain: TextTenant = async ({ marked, seed }) => {
  const log: TokenText[] = [];
  for (let turn = 0; turn < texts; turn++) {
    log.push(await ask(marked, writeText(`${seed}/${turn}`, promptTokens), `${seed}/${turn}`));
  }
  return log;
};

/** Asks the same two prompts over and over. */
export const repetitive: TextTenant = async ({ marked, seed }) => {
  const log: TokenText[] = [];
  for (let turn = 0; turn < texts; turn++) {
    const prompt = writeText(`${seed}/${turn % 2}`, promptTokens);
    log.push(await ask(marked, prompt, `${seed}/${turn}`));
  }
  return log;
};

/**
 * Copies pieces of earlier answers into its prompts: of some pieces the one that reads most like the
 * suspect's own words.
 */
export const adaptive: TextTenant = async ({ marked, suspect, seed }) => {
  const random = seededRandom(`${seed}/pieces`);
  const log = [await ask(marked, writeText(seed, promptTokens), `${seed}/0`)];
  for (let turn = 1; turn < texts; turn++) {
    const pieces = Array.from({ length: piecesCompared }, () => pieceOf(log, random));
    const likenesses = await Promise.all(pieces.map((piece) => likeness(suspect, piece)));
    const best = likenesses.indexOf(Math.max(...likenesses));
    const again = pieces[best]!;
    log.push(await ask(marked, Int32Array.of(...again, ...again), `${seed}/${turn}`));
  }
  return log;
};

/**
 * Says marked pairs again: a token and what the mark made of it, other words, and the token once
 * more after another one. A suspect that copies what it is shown then gives the marked answer, to a
 * context that occurs for the first time.
 */
export const echoing: TextTenant = async ({ marked, seed }) => {
  const random = seededRandom(`${seed}/echoes`);
  const first = await ask(marked, writeText(seed, promptTokens), `${seed}/0`);
  const log = [first];
  for (let turn = 1; turn <= echoes; turn++) {
    const at = promptTokens + random.integer(answerTokens - 1);
    const [before, token, next] = first.tokens.subarray(at - 1, at + 2);
    const words = Array.from({ length: 3 }, () => random.integer(vocabularySize));
    const prompt = Int32Array.of(before!, token!, next!, ...words, token!);
    log.push(await ask(marked, prompt, `${seed}/${turn}`, 1));
  }
  return log;
};

/** Stops as soon as the answers agree with the suspect more often than its own language does. */
export const stopWhenAhead: TextTenant = async ({ marked, suspect, seed }) => {
  const log: TokenText[] = [];
  const familiar = writeText(`${seed}/familiar`, familiarTokens);
  const usual = (await likeness(suspect, familiar)) / familiarTokens;
  let [agreed, places] = [0, 0];
  for (let turn = 0; turn < shortAnswers.most; turn++) {
    const prompt = writeText(`${seed}/${turn}`, promptTokens);
    const answer = await ask(marked, prompt, `${seed}/${turn}`, shortAnswers.tokens);
    log.push(answer);
    agreed += await likeness(suspect, answer.tokens.subarray(promptTokens - 2));
    places += shortAnswers.tokens;
    const deviation = Math.sqrt(places * usual * (1 - usual));
    if (agreed >= places * usual + deviation) break;
  }
  return log;
};

async function ask(
  marked: LanguageModel,
  prompt: Int32Array,
  seed: string,
  maxTokens = answerTokens,
): Promise<TokenText> {
  const sampling = { maxTokens, temperature: 1, seed };
  const [outcome] = await marked.complete([prompt], { sampling, signal });
  if (!outcome || !('answer' in outcome)) throw new Error('a model of this process always answers');
  return {
    tokens: Int32Array.of(...prompt, ...outcome.answer.tokens!),
    promptLength: prompt.length,
  };
}

/** A part of an earlier answer, of 4 to 12 tokens. */
function pieceOf(log: readonly TokenText[], random: SeededRandom): Int32Array {
  const { tokens, promptLength } = log[random.integer(log.length)]!;
  const length = 4 + random.integer(9);
  const from = promptLength + random.integer(tokens.length - promptLength - length);
  return tokens.slice(from, from + length);
}

/** How many tokens are the suspect's likeliest after those before them. */
async function likeness(suspect: LanguageModel, tokens: Int32Array): Promise<number> {
  const places = Array.from({ length: tokens.length - 2 }, (_, index) => index + 2);
  const outcomes = await suspect.complete(
    places.map((at) => tokens.slice(Math.max(0, at - 8), at)),
    { sampling: { maxTokens: 1, temperature: 0 }, signal },
  );
  return outcomes.filter(
    (outcome, index) =>
      'answer' in outcome && outcome.answer.tokens?.[0] === tokens[places[index]!],
  ).length;
}
