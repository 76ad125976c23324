/** Interpolated Kneser-Ney once more, straight from the definition and over maps of strings. */

const startOfText = '^';

interface Level {
  /** Counts by context and token. */
  readonly counts: Map<string, Map<string, number>>;
  readonly discount: number;
}

export function naiveKneserNey(
  texts: readonly (readonly number[])[],
  order: number,
  vocabularySize: number,
): (token: number, context: readonly number[]) => number {
  const levels = Array.from({ length: order }, (_, length) => level(texts, order, length));
  const probability = (token: string, context: readonly string[]): number => {
    const { counts, discount } = levels[context.length]!;
    const shorter = () =>
      context.length === 0 ? 1 / vocabularySize : probability(token, context.slice(1));
    const followers = counts.get(context.join(' '));
    if (followers === undefined) return shorter();
    let total = 0;
    for (const count of followers.values()) total += count;
    const kept = Math.max(0, (followers.get(token) ?? 0) - discount) / total;
    return kept + ((discount * followers.size) / total) * shorter();
  };
  return (token, context) => {
    const padded = [...new Array(order).fill(startOfText), ...context.map(String)];
    return probability(String(token), order === 1 ? [] : padded.slice(1 - order));
  };
}

function level(texts: readonly (readonly number[])[], order: number, length: number): Level {
  const occurrences = texts.flatMap((text) => {
    const padded = [...new Array(order).fill(startOfText), ...text.map(String)];
    return text.map((_, position) => padded.slice(position, position + order + 1));
  });
  const isLongest = length === order - 1;
  const counts = new Map<string, Map<string, number>>();
  const before = new Set<string>();
  for (const occurrence of occurrences) {
    const token = occurrence.at(-1)!;
    const context = occurrence.slice(order - length, order).join(' ');
    const longer = occurrence.slice(order - length - 1).join(' ');
    if (!isLongest && before.has(longer)) continue;
    before.add(longer);
    const followers = counts.get(context) ?? new Map<string, number>();
    followers.set(token, (followers.get(token) ?? 0) + 1);
    counts.set(context, followers);
  }
  const all = [...counts.values()].flatMap((followers) => [...followers.values()]);
  const [once, twice] = [1, 2].map((wanted) => all.filter((count) => count === wanted).length);
  return { counts, discount: once === 0 ? 0.5 : once! / (once! + 2 * twice!) };
}
