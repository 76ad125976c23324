import { createHash } from 'node:crypto';
import { firstOccurrencesOfContexts } from '../../../src/audit/readings.ts';
import type { TextMaterial } from '../../../src/audit/text-material.ts';
import type { LanguageModel, Progress } from '../../../src/contracts.ts';
import { commitToEpochKey, purposeCommitment } from '../../../src/keys/commitment.ts';
import { deriveEpochKey } from '../../../src/keys/derivation.ts';
import { InProcessLanguageModel } from '../../../src/models/language/in-process-language-model.ts';
import { trainKneserNey } from '../../../src/models/language/kneser-ney.ts';
import type { NextTokenModel } from '../../../src/models/language/next-token-model.ts';
import { parseTextProfile } from '../../../src/watermark/text/profile.ts';
import type { TokenText } from '../../../src/watermark/text/token-pairs.ts';
import { openTextWatermark, type TextWatermark } from '../../../src/watermark/text/watermark.ts';
import type { TextCorpus } from '../../text-corpus.ts';

const temperature = 0.7;
const topK = 100;
const answerTokens = 200;
const epoch = 'e1';
const readings = 1500;
const tokensBefore = 8;

/** The owner of the protected language model, its mark and what an audit needs. */
export interface TextOwner {
  readonly model: NextTokenModel;
  readonly watermark: TextWatermark;
  readonly served: LanguageModel;
  /** The same model without the mark. */
  readonly clean: LanguageModel;
  material(log: readonly TokenText[], probes: readonly Int32Array[]): TextMaterial;
}

/** Trains the protected model and puts a tenant's mark on what it writes. */
export function startTextOwner(options: {
  readonly seed: string;
  readonly corpus: TextCorpus;
  readonly tenant: string;
}): TextOwner {
  const { seed, corpus, tenant } = options;
  const { tokenizer } = corpus;
  const { vocabularySize } = tokenizer;
  const model = trainKneserNey(corpus.protectedTexts, { vocabularySize });
  const root = createHash('sha256').update(`text demonstration root ${seed}`).digest();
  const epochKey = deriveEpochKey({ root, tenant, epoch });
  const commitment = commitToEpochKey(epochKey, tenant, epoch);
  const profile = parseTextProfile(
    {
      schema: 'touchmark/text-profile@1',
      scheme: { name: 'green-list', gamma: 0.25, delta: 2 },
      prf: { name: 'native', contextWidth: 2 },
      repeats: 'turn',
      tokenizer: { name: tokenizer.name, vocabularySize },
    },
    'the demonstration',
  );
  const watermark = openTextWatermark(profile, { stack: 'touchmark', epochKey });
  const reference = trainKneserNey(referenceTexts(corpus), { vocabularySize });
  const name = 'n-gram model';
  return {
    model,
    watermark,
    served: new InProcessLanguageModel(model, {
      name,
      tokenizer,
      marker: (promptLength) => watermark.marker({ promptLength }),
    }),
    clean: new InProcessLanguageModel(model, { name, tokenizer }),
    material: (log, probes) => ({
      watermark,
      keyMaterial: purposeCommitment(commitment, 'text-keystream'),
      prompts: probes,
      sampling: { maxTokens: 50, temperature, topK, seed: 'audit' },
      readings: firstOccurrencesOfContexts(log, watermark.prf, tokensBefore, readings),
      horizon: readings,
      reference,
      encode: tokenizer.encode,
    }),
  };
}

/** The half of the other texts that the owner's reference model learns from. */
export function referenceTexts({ otherTexts }: TextCorpus): Int32Array[] {
  return otherTexts.filter((_, index) => index % 2 === 0);
}

/** Lets a model continue prompts as it serves tenants; the log has prompt and answer of each. */
export async function continuePrompts(
  model: LanguageModel,
  prompts: readonly Int32Array[],
  seed: string,
  signal: AbortSignal,
  progress: (done: number) => void,
): Promise<TokenText[]> {
  const log: TokenText[] = [];
  for (const prompt of prompts) {
    const sampling = { maxTokens: answerTokens, temperature, topK, seed };
    const [outcome] = await model.complete([prompt], { sampling, signal });
    if (outcome === undefined || !('answer' in outcome)) throw new Error('no answer came');
    const tokens = Int32Array.of(...prompt, ...outcome.answer.tokens!);
    log.push({ tokens, promptLength: prompt.length });
    progress(log.length);
  }
  return log;
}

/** Answers the tenant's prompts under its key. */
export function serveTenant(
  owner: TextOwner,
  prompts: readonly Int32Array[],
  seed: string,
  signal: AbortSignal,
  progress: Progress,
): Promise<TokenText[]> {
  return continuePrompts(owner.served, prompts, seed, signal, (done) =>
    progress('serving the tenant', done, prompts.length),
  );
}

export function outputsOf(texts: readonly TokenText[]): Int32Array[] {
  return texts.map(({ tokens, promptLength }) => tokens.slice(promptLength));
}
