import type { FitCheck } from '../watermark/text/fit.ts';

/** How a check of profile against text came out over many texts. */
export interface FitSummary {
  readonly check: FitCheck['check'];
  readonly passed: number;
  readonly failed: number;
  readonly notChecked: number;
  /** What was said of the first text that failed, or else of the first that was not checked. */
  readonly detail?: string;
}

type Writable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** Counts how checks came out, so that what does not fit is said even when nobody reads each line. */
export class FitTally {
  readonly #summaries = new Map<FitCheck['check'], Writable<FitSummary>>();

  add(checks: readonly FitCheck[]): void {
    for (const { check, outcome, detail } of checks) {
      const summary = this.#summaries.get(check) ?? { check, passed: 0, failed: 0, notChecked: 0 };
      this.#summaries.set(check, summary);
      if (outcome === 'passed') summary.passed++;
      else {
        if (outcome === 'failed' && summary.failed === 0) summary.detail = detail;
        if (outcome === 'failed') summary.failed++;
        else summary.notChecked++;
        summary.detail ??= detail;
      }
    }
  }

  get summaries(): readonly FitSummary[] {
    return [...this.#summaries.values()];
  }
}
