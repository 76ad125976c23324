import type { Received } from '../../test/dossier/received.ts';

const fates = ['refused', 'asserted', 'passed'] as const;

/** Counts how attempts of each kind fared, and keeps what passed. */
export class Tally {
  readonly #counts = new Map<string, Record<(typeof fates)[number], number>>();
  readonly #passed: string[] = [];
  #matches = 0;

  add(kind: string, { fate, why, verdict }: Received): void {
    const counts = this.#counts.get(kind) ?? { refused: 0, asserted: 0, passed: 0 };
    counts[fate] += 1;
    this.#counts.set(kind, counts);
    if (fate === 'passed') this.#passed.push(`${kind}: ${why.slice(0, 300)}`);
    if (fate !== 'refused' && verdict === 'match') this.#matches += 1;
  }

  get attempts(): number {
    return fates.reduce((sum, fate) => sum + this.total(fate), 0);
  }

  /** What passed, one line each. */
  get passed(): readonly string[] {
    return this.#passed;
  }

  /** Attempts that say "match" and were not refused. */
  get matches(): number {
    return this.#matches;
  }

  total(fate: (typeof fates)[number]): number {
    return [...this.#counts.values()].reduce((sum, counts) => sum + counts[fate], 0);
  }

  /** A table by kind: attempts, refused, asserted, passed. */
  table(title: string): string {
    const rows = [...this.#counts].map(([kind, counts]) => [
      kind,
      ...[counts.refused + counts.asserted + counts.passed, ...fates.map((fate) => counts[fate])],
    ]);
    const all = ['all', this.attempts, ...fates.map((fate) => this.total(fate))];
    const lines = [[title, 'attempts', ...fates], ...rows, all].map(([kind, ...numbers]) =>
      [String(kind).padEnd(52), ...numbers.map((each) => String(each).padStart(9))].join(''),
    );
    return `${lines.join('\n')}\n`;
  }
}
