import type { Capability, Evidence, Observation, Outcome } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import type { AuditMaterial } from './material.ts';
import { provenanceTests } from './tests/registry.ts';

/** What became of a recorded audit when its answers were folded again. */
export interface Replay {
  /** One per test, in the order of the registry. */
  readonly evidence: readonly Evidence[];
  /** The probes that each test asked, by its name, in folding order. */
  readonly probes: ReadonlyMap<string, readonly string[]>;
}

/** Says after each round of folds whether the sealed rule stops the asking. */
export type StopRule = (evidence: readonly Evidence[]) => boolean;

/**
 * Runs the tests over recorded answers instead of a suspect: the same probes in the same order give
 * the same evidence. Asks nobody.
 *
 * @param tests names of the tests to run; the others count as not applicable
 * @throws TouchmarkError EVIDENCE_INVALID naming the first probe without a recorded answer
 */
export function replayTests(
  material: AuditMaterial,
  gives: readonly Capability[],
  outcomeOf: (id: string) => Outcome | undefined,
  options: { readonly stopWhen?: StopRule; readonly tests?: ReadonlySet<string> } = {},
): Replay {
  const runs = provenanceTests.map((test) => ({
    test,
    run: test.start(material),
    applies:
      test.needs.every((need) => gives.includes(need)) && (options.tests?.has(test.name) ?? true),
  }));
  const applicable = runs.filter(({ applies }) => applies);
  const probes = new Map<string, string[]>(applicable.map(({ test }) => [test.name, []]));
  const evidence = () => runs.map(({ run, applies }) => evidenceOf(run.evidence(), applies));
  for (;;) {
    const wanted = applicable.map(({ run }) => run.next());
    if (wanted.every((due) => due.length === 0)) break;
    for (const [index, { test, run }] of applicable.entries()) {
      const due = wanted[index]!;
      if (due.length === 0) continue;
      run.fold(
        due.map((probe): Observation => {
          const outcome = outcomeOf(probe.id);
          if (outcome !== undefined) return { probe, ...outcome };
          throw new TouchmarkError('EVIDENCE_INVALID', `the probe ${probe.id} has no answer`, {
            hint: 'the recorded answers are not those of this plan',
          });
        }),
      );
      probes.get(test.name)!.push(...due.map(({ id }) => id));
    }
    if (options.stopWhen?.(evidence())) break;
  }
  return { evidence: evidence(), probes };
}

/** What a test says that does not apply is only that. */
export function evidenceOf(said: Evidence, applies: boolean): Evidence {
  if (applies) return said;
  const { log10P: _, ...evidence } = said;
  return { ...evidence, status: 'not-applicable', log10E: 0 };
}
