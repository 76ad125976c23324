import type { Evidence } from '../../src/contracts.ts';

/** What a demonstration found, whichever kind of model was protected. */
export interface DemoResult {
  readonly protected: ProtectedModel;
  readonly suspects: readonly DemoSuspect[];
  readonly seconds: number;
}

/** The protected model, and what its mark costs. For a language model the classes are the tokens. */
export interface ProtectedModel {
  readonly name: string;
  readonly labels: number;
  readonly accuracyClean: number;
  readonly accuracyServed: number;
  /** Between clean and served distribution, per answer. */
  readonly meanTotalVariation: number;
  /** Answers whose arg-max differs from the clean one's without a coin having fallen. */
  readonly argMaxChangedByProbabilityMark: number;
}

/** One suspect of a demonstration, and what the audit said of it. */
export interface DemoSuspect {
  readonly name: string;
  readonly truth: 'surrogate' | 'independent';
  readonly kind: string;
  readonly verdict: string;
  readonly score: number;
  readonly probes: number;
  readonly evidence: readonly (Evidence & { readonly counted: boolean })[];
  readonly seconds: number;
}

/** A demonstration's result as one JSON document. */
export interface DemoDocument {
  readonly schema: 'touchmark/demo@1';
  readonly protected: ProtectedModel;
  readonly suspects: readonly SuspectDocument[];
  readonly seconds: number;
}

interface SuspectDocument
  extends Pick<DemoSuspect, 'name' | 'truth' | 'kind' | 'verdict' | 'score' | 'probes'> {
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
    suspects: demo.suspects.map(({ evidence, seconds: _, ...suspect }) => ({
      ...suspect,
      tests: evidence
        .filter(({ status }) => status !== 'not-applicable')
        .map((each) => ({
          test: each.test,
          null: each.null,
          counted: each.counted,
          log10E: each.log10E,
          log10P: each.log10P ?? null,
          probes: each.probes,
          effect: each.effect,
        })),
    })),
    seconds: demo.seconds,
  };
}
