import type { OpenAiReply } from './openai-wire.ts';
import type { WireAnswers } from './wire-answers.ts';

/** Holds the probability of every answer that is none of the labels. */
export const otherLabel = '(other)';

/** Less than this on the labels together says more of the form of the answer than of the labels. */
const leastCovered = 0.5;

/**
 * Returns the label that a text means: the one that it is, trimmed and without regard to case, else
 * the one that is its first word, else the longest that it begins with before a character that is
 * neither letter nor digit; else undefined.
 */
export function labelIn(text: string, labels: readonly string[]): string | undefined {
  const said = plain(text);
  const word = /^[\p{P}\s]*([\p{L}\p{N}_-]+)/u.exec(said)?.[1];
  const same = labels.find((label) => plain(label) === said);
  const first = labels.find((label) => plain(label) === word);
  return same ?? first ?? longest(labels.filter((label) => begins(said, plain(label))));
}

/**
 * Returns one reply as an answer over the labels.
 *
 * With what the first token could have been come probabilities: each listed token counts for the
 * label that begins with it, and the rest of 1 for `(other)`. They are left out, and the label stands
 * alone, when a listed token begins two labels, when less than half lies on labels, when the listed
 * probabilities sum to more than 1.001, or when a label is called `(other)`.
 * A text that means no label is kept as a label outside the set.
 */
export function answerOf(reply: OpenAiReply, labels: readonly string[]): WireAnswers {
  if (reply.refused) return { answers: [null] };
  const said = reply.text.trim();
  const answers = [labelIn(said, labels) ?? (said === '' ? '(no text)' : said.slice(0, 256))];
  const row = reply.first === undefined ? undefined : probabilitiesOf(reply.first, labels);
  if (row === undefined) return { answers };
  return { answers, labels: [...labels, otherLabel], probabilities: [row] };
}

function probabilitiesOf(
  first: NonNullable<OpenAiReply['first']>,
  labels: readonly string[],
): readonly number[] | undefined {
  if (labels.includes(otherLabel)) return undefined;
  const row = new Array<number>(labels.length).fill(0);
  let listed = 0;
  for (const { text, logProbability } of first) {
    const probability = Math.min(1, Math.exp(logProbability));
    listed += probability;
    const start = plain(text);
    if (start === '') continue;
    const places = [...labels.keys()].filter((place) => plain(labels[place]!).startsWith(start));
    if (places.length > 1) return undefined;
    const [place] = places;
    if (place !== undefined) row[place] = row[place]! + probability;
  }
  const covered = row.reduce((sum, value) => sum + value, 0);
  if (listed > 1.001 || covered < leastCovered) return undefined;
  return [...row.map((value) => Math.min(1, value)), Math.max(0, 1 - covered)];
}

function begins(said: string, label: string): boolean {
  return said.startsWith(label) && !/^[\p{L}\p{N}]/u.test(said.slice(label.length));
}

function longest(labels: readonly string[]): string | undefined {
  return labels.toSorted((one, other) => other.length - one.length)[0];
}

function plain(text: string): string {
  return text.normalize('NFC').trim().toLowerCase();
}
