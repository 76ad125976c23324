import type {
  Evidence,
  LanguageCapability,
  LanguageModel,
  Progress,
  ProvenanceTest,
  Task,
} from '../contracts.ts';
import { type Ask, askTests } from './ask.ts';
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
  const complete: Ask<'complete'> = (probes, asked) =>
    eachSampling(probes, (prompts, sampling) => suspect.complete(prompts, { sampling, ...asked }));
  const score: Ask<'score'> = async (probes, asked) => {
    const contexts = probes.map(({ input }) => input);
    return (
      (await suspect.score?.(contexts, asked)) ?? probes.map(() => ({ missing: 'unsupported' }))
    );
  };
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

type SamplingOf = Parameters<LanguageModel['complete']>[1]['sampling'];
type Prompts = Parameters<LanguageModel['complete']>[0];

/** Asks in runs of probes that are sampled alike, and returns the outcomes in order. */
async function eachSampling(
  probes: Parameters<Ask<'complete'>>[0],
  ask: (prompts: Prompts, sampling: SamplingOf) => ReturnType<LanguageModel['complete']>,
): ReturnType<Ask<'complete'>> {
  const outcomes: Awaited<ReturnType<LanguageModel['complete']>>[number][] = [];
  for (let from = 0; from < probes.length; ) {
    const { sampling } = probes[from]!.input;
    let to = from + 1;
    while (to < probes.length && sameSampling(probes[to]!.input.sampling, sampling)) to++;
    const prompts = probes.slice(from, to).map(({ input }) => input.prompt);
    outcomes.push(...(await ask(prompts, sampling)));
    from = to;
  }
  return outcomes;
}

function sameSampling(left: SamplingOf, right: SamplingOf): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
