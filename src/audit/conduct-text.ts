import type {
  Evidence,
  LanguageCapability,
  LanguageModel,
  Progress,
  ProvenanceTest,
  Task,
} from '../contracts.ts';
import { type Ask, askTests } from './ask.ts';
import { askingLanguageModel } from './ask-language.ts';
import { textContrast } from './tests/text-contrast.ts';
import { textReading } from './tests/text-reading.ts';
import { textSamples } from './tests/text-samples.ts';
import type { TextMaterial } from './text-material.ts';

export interface ConductTextOptions {
  readonly material: TextMaterial;
  readonly suspect: LanguageModel;
  readonly batchSize: number;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

/** What a text audit has seen: the evidence of every test, those that do not apply included. */
export interface TextFindings {
  readonly evidence: readonly Evidence[];
  readonly probes: number;
}

/** Runs every text test that the suspect's answers can carry. Answers are kept in memory only. */
export async function conductTextAudit(options: ConductTextOptions): Promise<TextFindings> {
  const { suspect, signal } = options;
  const { gives } = await suspect.describe({ signal });
  const { complete, score } = askingLanguageModel(suspect);
  const evidence = [
    ...(await runTests([textSamples, textReading], complete, gives, options)),
    ...(await runTests([textContrast], score, gives, options)),
  ];
  return { evidence, probes: evidence.reduce((sum, { probes }) => sum + probes, 0) };
}

async function runTests<T extends Task>(
  tests: readonly ProvenanceTest<TextMaterial, T, LanguageCapability>[],
  ask: Ask<T>,
  gives: readonly LanguageCapability[],
  options: ConductTextOptions,
): Promise<Evidence[]> {
  const { material, batchSize, signal, progress } = options;
  const started = tests.map((test) => ({
    run: test.start(material),
    applies: test.needs.every((need) => gives.includes(need)),
  }));
  await askTests<T>({
    ask,
    runs: started.filter(({ applies }) => applies).map(({ run }) => run),
    runLog: { recall: () => undefined, record: async () => undefined },
    batchSize,
    concurrency: 1,
    expected: material.prompts.length + 2 * material.readings.length,
    signal,
    ...(progress && { progress }),
  });
  return started.map(({ run, applies }) => {
    const { log10P, ...evidence } = run.evidence();
    if (!applies) return { ...evidence, status: 'not-applicable', log10E: 0 };
    return log10P === undefined ? evidence : { ...evidence, log10P };
  });
}
