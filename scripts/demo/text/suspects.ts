import type { LanguageModel, Progress } from '../../../src/contracts.ts';
import { InProcessLanguageModel } from '../../../src/models/language/in-process-language-model.ts';
import { trainKneserNey } from '../../../src/models/language/kneser-ney.ts';
import type { NextTokenModel } from '../../../src/models/language/next-token-model.ts';
import { trainNeuralLanguageModel } from '../../../src/models/training/neural-language-model.ts';
import type { TextCorpus } from '../../text-corpus.ts';
import type { DemoSuspect } from '../document.ts';
import { continuePrompts, outputsOf, startTextOwner, type TextOwner } from './owner.ts';

/** A model to be audited, and what is true of it. */
export interface TextSuspect extends Pick<DemoSuspect, 'name' | 'truth' | 'kind'> {
  readonly model: LanguageModel;
}

export interface SuspectOptions {
  readonly seed: string;
  readonly corpus: TextCorpus;
  readonly owner: TextOwner;
  readonly prompts: readonly Int32Array[];
  /** What the tenant was answered: all that thieves learn from. */
  readonly marked: readonly Int32Array[];
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/**
 * Trains thieves on marked answers (alone, mixed half and half with other text, as a network) and
 * innocents: on other text, on unmarked answers of the same model to the same prompts, and on answers
 * under another owner's key.
 */
export async function trainSuspects(options: SuspectOptions): Promise<TextSuspect[]> {
  const { seed, corpus, owner, prompts, marked, signal, progress } = options;
  const { vocabularySize } = corpus.tokenizer;
  const independentText = corpus.otherTexts.filter((_, index) => index % 2 === 1);
  const ngram = (texts: readonly Int32Array[]) => trainKneserNey(texts, { vocabularySize });
  const unmarked = await continuePrompts(owner.clean, prompts, seed, signal, (done) =>
    progress('answering without the mark', done, prompts.length),
  );
  const otherOwner = startTextOwner({ seed: `${seed}/other owner`, corpus, tenant: 'mallory' });
  const otherMarked = await continuePrompts(otherOwner.served, prompts, seed, signal, (done) =>
    progress("answering under another owner's key", done, prompts.length),
  );
  const network = await trainNeuralLanguageModel(marked, {
    vocabularySize,
    seed,
    progress: (_, done, total) => progress('training a network on marked answers', done, total),
  });
  const suspect = (
    name: string,
    truth: TextSuspect['truth'],
    kind: string,
    model: NextTokenModel,
  ): TextSuspect => ({
    name,
    truth,
    kind,
    model: new InProcessLanguageModel(model, { name, tokenizer: corpus.tokenizer }),
  });
  return [
    suspect('ngram-pure', 'surrogate', 'n-gram student of marked answers alone', ngram(marked)),
    suspect(
      'ngram-mixed',
      'surrogate',
      'n-gram student of marked answers and as much other text',
      ngram([...marked, ...firstTokens(independentText, tokensIn(marked))]),
    ),
    suspect('network-pure', 'surrogate', 'neural student of marked answers alone', network),
    suspect('other-text', 'independent', 'n-gram model of other text', ngram(independentText)),
    suspect(
      'unmarked-student',
      'independent',
      'n-gram student of the same model without the mark',
      ngram(outputsOf(unmarked)),
    ),
    suspect(
      'other-owner-student',
      'independent',
      "n-gram student of answers under another owner's key",
      ngram(outputsOf(otherMarked)),
    ),
  ];
}

function tokensIn(texts: readonly Int32Array[]): number {
  return texts.reduce((sum, { length }) => sum + length, 0);
}

/** Whole texts, and the beginning of the next, until there are `count` tokens. */
function firstTokens(texts: readonly Int32Array[], count: number): Int32Array[] {
  const taken: Int32Array[] = [];
  let left = count;
  for (const text of texts) {
    if (left === 0) break;
    taken.push(text.subarray(0, left));
    left -= Math.min(left, text.length);
  }
  return taken;
}
