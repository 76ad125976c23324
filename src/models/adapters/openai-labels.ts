import type { ListedToken, OpenAiReply } from './openai-wire.ts';
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
  return same ?? first ?? longest(labels.filter((label) => leads(said, plain(label))));
}

/**
 * Returns one reply as an answer over the labels.
 *
 * With what the first token could have been come probabilities: each listed token counts for the
 * label that begins with it, and the rest of 1 for `(other)`, tokens that begin several labels
 * included. They are left out, and the label stands alone, when the text does not begin with the first
 * token, as after thoughts that were taken out of it; when less than half lies on labels, when the
 * listed probabilities sum to more than 1.001, or when a label is called `(other)`.
 * A text that means no label is kept as a label outside the set.
 */
export function answerOf(reply: OpenAiReply, labels: readonly string[]): WireAnswers {
  if (reply.refused) return { answers: [null] };
  const said = reply.text.trim();
  const answers = [labelIn(said, labels) ?? (said === '' ? '(no text)' : said.slice(0, 256))];
  const row =
    reply.first && begins(reply) ? probabilitiesOf(reply.first.listed, labels) : undefined;
  if (row === undefined) return { answers };
  return { answers, labels: [...labels, otherLabel], probabilities: [row] };
}

/** Says whether the first token is the text's: servers take thoughts out of the text alone. */
function begins({ text, first }: OpenAiReply): boolean {
  const start = first?.drawn.trim() ?? '';
  return start !== '' && text.trimStart().startsWith(start);
}

function probabilitiesOf(
  listed: readonly ListedToken[],
  labels: readonly string[],
): readonly number[] | undefined {
  if (labels.includes(otherLabel)) return undefined;
  const row = new Array<number>(labels.length).fill(0);
  let sum = 0;
  for (const { text, logProbability } of listed) {
    const probability = Math.min(1, Math.exp(logProbability));
    sum += probability;
    const start = plain(text);
    if (start === '') continue;
    const places = [...labels.keys()].filter((place) => plain(labels[place]!).startsWith(start));
    const [place] = places;
    if (place !== undefined && places.length === 1) row[place] = row[place]! + probability;
  }
  const covered = row.reduce((total, value) => total + value, 0);
  if (sum > 1.001 || covered < leastCovered) return undefined;
  return [...row.map((value) => Math.min(1, value)), Math.max(0, 1 - covered)];
}

function leads(said: string, label: string): boolean {
  return said.startsWith(label) && !/^[\p{L}\p{N}]/u.test(said.slice(label.length));
}

function longest(labels: readonly string[]): string | undefined {
  return labels.toSorted((one, other) => other.length - one.length)[0];
}

function plain(text: string): string {
  return text.normalize('NFC').trim().toLowerCase();
}
