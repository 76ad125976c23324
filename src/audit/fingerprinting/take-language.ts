import type { LanguageModel, Missing, Progress, Task, TestRun } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import type { LanguageFingerprint } from '../../fingerprints/fingerprint.ts';
import type { LanguageProbeSet } from '../../fingerprints/language-probe-set.ts';
import { probeSetId } from '../../fingerprints/probe-set.ts';
import { type Ask, askTests, type RunLog } from '../ask.ts';
import { askingLanguageModel } from '../ask-language.ts';
import { CompletionTaking, ContextTaking } from './language-taking.ts';

export interface TakeLanguageOptions {
  readonly model: LanguageModel;
  readonly probes: LanguageProbeSet;
  /** Under which name the fingerprint is kept. */
  readonly name: string;
  /** Where the model was asked, as it may be shown; absent for a model in this process. */
  readonly address?: string;
  /** ISO 8601. */
  readonly takenAt: string;
  /** Name and version of the software that asks. */
  readonly toolkit: string;
  /** Of the sampling; that of the probe set by default, so that all models are asked alike. */
  readonly seed?: string;
  /** Where answers are kept; a taking that was interrupted goes on from there. */
  readonly runLogs?: {
    readonly complete: RunLog<'complete'>;
    readonly score: RunLog<'score'>;
  };
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

const batchSize = 64;
const concurrency = 4;

/**
 * Takes the fingerprint of a language model: what it answers to the probes of a set.
 *
 * A model that describes itself without token probabilities is not asked for any, and all contexts
 * count as unsupported. Two takings of a model that keeps its seeds give the same answers.
 *
 * @throws TouchmarkError INTERRUPTED when the signal fires; what the model's adapter throws
 */
export async function takeLanguageFingerprint(
  options: TakeLanguageOptions,
): Promise<LanguageFingerprint> {
  const { model, probes, name, address = null, takenAt, toolkit, runLogs, signal } = options;
  const probeSet = probeSetId(probes);
  const { version = null, gives } = await model.describe({ signal });
  const { complete, score } = askingLanguageModel(model);
  const completions = new CompletionTaking(probes, options.seed ?? probeSet);
  const contexts = new ContextTaking(probes);
  await take(complete, completions, runLogs?.complete, 0, options);
  const told = gives.includes('token-probabilities') ? score : unsupported;
  await take(
    told,
    contexts,
    runLogs?.score,
    questionCount(probes) - probes.contexts.length,
    options,
  );
  const counts = [completions, contexts].map(({ outcomes }) => outcomes);
  const missing = (why: Missing) =>
    counts.reduce((sum, each) => sum + (each.missing.counts[why] ?? 0), 0);
  return {
    schema: 'touchmark/fingerprint@1',
    task: 'language',
    model: { name, version, address },
    probeSet,
    takenAt,
    toolkit,
    outcomes: {
      answered: completions.outcomes.answered + contexts.outcomes.answered,
      refused: missing('refused'),
      failed: missing('failed'),
      unsupported: missing('unsupported'),
      outside: 0,
    },
    answers: { completions: completions.completions, ...contexts.topTokens },
  };
}

/** Returns how many questions a probe set has for a language model. */
export function questionCount(probes: LanguageProbeSet): number {
  const { temperatures, samples, prompts, contexts } = probes;
  return temperatures.length * samples * prompts.length + contexts.length;
}

const unsupported: Ask<'score'> = async (probes) => probes.map(() => ({ missing: 'unsupported' }));

async function take<T extends Task>(
  ask: Ask<T>,
  run: TestRun<T>,
  runLog: RunLog<T> = { recall: () => undefined, record: async () => undefined },
  before: number,
  { probes, signal, progress }: TakeLanguageOptions,
): Promise<void> {
  const expected = questionCount(probes);
  try {
    await askTests<T>({
      ask,
      runs: [run],
      runLog,
      batchSize,
      concurrency,
      expected,
      signal,
      ...(progress && {
        progress: (_, done) => progress('taking the fingerprint', before + done, expected),
      }),
    });
  } catch (cause) {
    if (!TouchmarkError.isInstance(cause) || cause.code !== 'INTERRUPTED') throw cause;
    throw new TouchmarkError('INTERRUPTED', 'The taking of a fingerprint was interrupted.', {
      hint: 'Take it again with the same run logs: what was answered is kept in them.',
      cause,
    });
  }
}
