import type { LanguageModel, Sampling } from '../contracts.ts';
import type { Ask } from './ask.ts';

/**
 * Returns how the probes of both tasks are put to a language model: those of a batch that are
 * sampled alike in one request, and contexts to a model without `score` as unsupported.
 */
export function askingLanguageModel(model: LanguageModel): {
  readonly complete: Ask<'complete'>;
  readonly score: Ask<'score'>;
} {
  return {
    complete: (probes, asked) =>
      eachSampling(probes, (prompts, sampling) => model.complete(prompts, { sampling, ...asked })),
    score: async (probes, asked) => {
      const contexts = probes.map(({ input }) => input);
      return (
        (await model.score?.(contexts, asked)) ?? probes.map(() => ({ missing: 'unsupported' }))
      );
    },
  };
}

type Prompts = Parameters<LanguageModel['complete']>[0];

/** Asks in runs of probes that are sampled alike, and returns the outcomes in order. */
async function eachSampling(
  probes: Parameters<Ask<'complete'>>[0],
  ask: (prompts: Prompts, sampling: Sampling) => ReturnType<LanguageModel['complete']>,
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

function sameSampling(left: Sampling, right: Sampling): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
