import type { Classifier } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { canonicalInput } from '../keys/canonical-input.ts';
import { askProbabilities } from '../models/clean-answers.ts';
import type { Answering, ServedModel } from './answering.ts';
import type { Marking } from './marking.ts';

export interface PipelineOptions {
  readonly upstream: Classifier;
  readonly model: ServedModel;
  readonly marking: Marking;
}

/** Answers for a protected classifier: asks it, and serves what `marking` lets go. */
export function createPipeline({ upstream, model, marking }: PipelineOptions): Answering {
  return {
    model,
    async answer({ tenant, inputs, marked = true }, { signal }) {
      const canonical = inputs.map(canonicalInput);
      const clean = await askProbabilities(upstream, canonical, signal).catch((cause) => {
        throw withoutQuotes(cause);
      });
      return marking.serve({ tenant, inputs: canonical, clean, marked });
    },
    async ready() {
      const signal = AbortSignal.timeout(2000);
      try {
        await upstream.describe({ signal });
        return true;
      } catch (cause) {
        if (signal.aborted || TouchmarkError.isInstance(cause)) return false;
        throw cause;
      }
    },
  };
}

/** What adapters say of an answer repeats parts of it, and a model may repeat a customer's question. */
function withoutQuotes(cause: unknown): unknown {
  if (!TouchmarkError.isInstance(cause) || !TouchmarkError.isInstance(cause.cause)) return cause;
  const { code, message } = cause;
  const [detail] = /\bstatus \d{3}\b|\bE[A-Z]{4,}\b|\bUND_ERR_[A-Z_]+\b/.exec(message) ?? [];
  const what = code === 'UPSTREAM_FAILED' ? 'did not answer' : 'gave an unusable answer';
  return new TouchmarkError(code, `the protected model ${what}${detail ? ` (${detail})` : ''}`, {
    hint: 'See what it answers without the gateway; its words are not shown, as they may hold a question.',
    cause,
  });
}
