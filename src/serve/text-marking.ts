import { digestOf } from '../audit/plan.ts';
import type { TextMarks, Tokenizer, TokenMarker } from '../contracts.ts';
import { apiBiases } from '../watermark/text/api/api-biases.ts';
import { chooseDraft, type Draft, type DraftChoice } from '../watermark/text/api/choose-draft.ts';
import type { TextProfile } from '../watermark/text/profile.ts';
import type { GenerationOptions } from '../watermark/text/schemes/scheme.ts';
import { openTextWatermark, type TextWatermark } from '../watermark/text/watermark.ts';
import { type FailurePolicy, failClosed } from './failure-policy.ts';
import { type MarkingGround, sealingBefore } from './marking-ground.ts';
import { RecentlyUsed } from './recently-used.ts';

/** Watermarks kept ready, one for each tenant and epoch. */
const watermarksKept = 2_048;

export interface TextMarkingOptions extends MarkingGround {
  readonly profile: TextProfile;
  /** The served model's, for choosing among drafts that are texts. */
  readonly tokenizer?: Tokenizer;
}

/** One answer of a language model, from its question to its record. */
export interface TextAnswer {
  /** Undefined where the answer is to be left unmarked: so the route says, or the policy. */
  readonly watermark: TextWatermark | undefined;
  /** Token ids and what to add to their logits; empty where the answer is left unmarked. */
  biases(): ReadonlyMap<number, number>;
  /** Which draft to serve; the first where the answer is left unmarked. */
  choose(drafts: readonly Draft[]): DraftChoice;
  /** Marks token by token; undefined where the answer is left unmarked. */
  marker(options: GenerationOptions): TokenMarker | undefined;
  /**
   * Resolves once the log has what was served.
   *
   * @throws TouchmarkError what the log throws; under a policy that fails open, an answer without a mark
   *   is served all the same, and nothing is thrown
   */
  record(served: {
    readonly request: string;
    readonly texts: readonly string[];
    readonly how: Exclude<TextMarks['text'], false>;
    readonly drafts?: number;
    readonly modelVersion?: string;
  }): Promise<void>;
}

/** Marks a language model's answers and records them. */
export interface TextMarking {
  readonly profile: TextProfile;
  readonly policy: FailurePolicy;
  /** What drafts that are texts are read with; there can be none without it. */
  readonly tokenizer: Tokenizer | undefined;
  /**
   * Begins an answer to a tenant, under its current epoch.
   *
   * @param options.marked false leaves it unmarked
   * @throws TouchmarkError TENANT_UNKNOWN; under a policy that fails closed, what keeps it from being
   *   marked
   */
  begin(tenant: string, options?: { readonly marked?: boolean }): TextAnswer;
}

/**
 * Marks answers in words, before or while they are made, and records question and answer after it.
 *
 * A text is marked before it can be recorded. So while the log fails, a policy that fails open begins
 * answers without a mark; answers under way when it began to fail are thrown out by `record`, and whoever
 * streams them has sent them by then: those are the marked answers that the log can miss, after a crash too.
 */
export function createTextMarking(options: TextMarkingOptions): TextMarking {
  const { profile, tokenizer, keys, log, clock, policy = failClosed, onAlarm } = options;
  const watermarks = new RecentlyUsed<TextWatermark>(watermarksKept);
  const sealBefore = sealingBefore(log, digestOf(profile));
  let logFails = false;

  const open = (tenant: string, epoch: string): TextWatermark | undefined => {
    if (logFails && policy.ifLogFails === 'fail-open') return undefined;
    try {
      return watermarks.get(`${tenant} ${epoch}`, () => {
        const epochKey = keys.epochKey(tenant, epoch);
        return openTextWatermark(profile, { stack: 'touchmark', epochKey });
      });
    } catch (cause) {
      if (policy.ifMarkingFails === 'fail-closed') throw cause;
      onAlarm?.('unmarked', 1, cause);
      return undefined;
    }
  };

  return {
    profile,
    policy,
    tokenizer,
    begin(tenant, { marked = true } = {}) {
      const { epoch, commitment } = keys.currentEpoch(tenant);
      const watermark = marked ? open(tenant, epoch) : undefined;
      return {
        watermark,
        biases: () => (watermark ? apiBiases(watermark) : new Map()),
        choose: (drafts) =>
          watermark
            ? chooseDraft(watermark, drafts, tokenizer && { tokenizer })
            : { index: 0, scores: drafts.map(() => 0) },
        marker: (generation) => watermark?.marker(generation),
        async record({ request, texts, how, drafts, modelVersion = options.modelVersion }) {
          const marks: TextMarks = watermark
            ? { text: how, ...(drafts !== undefined && { drafts }) }
            : { text: false };
          const servedAt = clock().toISOString();
          try {
            await sealBefore(commitment);
            await log.append([{ tenant, epoch, servedAt, modelVersion, request, texts, marks }]);
            logFails = false;
          } catch (cause) {
            logFails = true;
            if (watermark || policy.ifLogFails === 'fail-closed') throw cause;
            onAlarm?.('unrecorded', texts.length, cause);
          }
        },
      };
    },
  };
}
