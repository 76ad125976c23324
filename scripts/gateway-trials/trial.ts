/** What became of one trial. */
export interface TrialRow {
  readonly trial: string;
  /** What was seen, in figures. */
  readonly seen: string;
  /** Promises that were broken; none may be. */
  readonly broken: readonly string[];
}

/** Returns the text as a broken promise unless it was kept. */
export function unless(kept: boolean, broken: string): string[] {
  return kept ? [] : [broken];
}
