import type { DemoResult, DemoSuspect } from './run.ts';

/** The demonstration's result as one JSON document. */
export interface DemoDocument {
  readonly schema: 'touchmark/demo@1';
  readonly protected: DemoResult['protected'];
  readonly suspects: readonly SuspectDocument[];
  readonly seconds: number;
}

interface SuspectDocument extends Pick<DemoSuspect, 'name' | 'truth' | 'kind'> {
  readonly verdict: string;
  readonly score: number;
  readonly probes: number;
  readonly tests: readonly {
    readonly test: string;
    readonly null: string;
    readonly counted: boolean;
    readonly log10E: number;
    readonly log10P: number | null;
    readonly probes: number;
    readonly effect: Readonly<Record<string, number>>;
  }[];
}

export function demoDocument(demo: DemoResult): DemoDocument {
  return {
    schema: 'touchmark/demo@1',
    protected: demo.protected,
    suspects: demo.suspects.map(({ name, truth, kind, report }) => ({
      name,
      truth,
      kind,
      verdict: report.verdict,
      score: report.score,
      probes: report.run.probesAsked,
      tests: report.evidence
        .filter(({ status }) => status !== 'not-applicable')
        .map((evidence) => ({
          test: evidence.test,
          null: evidence.null,
          counted: evidence.counted,
          log10E: evidence.log10E,
          log10P: evidence.log10P ?? null,
          probes: evidence.probes,
          effect: evidence.effect,
        })),
    })),
    seconds: demo.seconds,
  };
}
