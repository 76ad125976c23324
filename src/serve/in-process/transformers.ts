import { createLogitsProcessor, type WatermarkLogitsProcessor } from '../logits-processor.ts';
import type { TextAnswer } from '../text-marking.ts';
import { requireText } from './text-of.ts';
import type { Touchmark } from './touchmark.ts';

export { createLogitsProcessor, type WatermarkLogitsProcessor } from '../logits-processor.ts';

/** Who asks a model in this process, and what. */
export interface GenerationRequest {
  readonly tenant: string;
  /** The question for the log, as JSON: a prompt, or messages and sampling. */
  readonly request: string;
  /** What the model says its version is; the touchmark's own without it. */
  readonly modelVersion?: string;
}

/**
 * Runs a generation of @huggingface/transformers with a processor that marks it, and resolves with its
 * texts once the log has them. See `createLogitsProcessor` for how to sample.
 *
 * @param generate runs `model.generate()` with the processor in its `logits_processor`, and returns the
 *   answers without their prompts
 * @example
 * const [answer] = await generateWithTouchmark(touchmark, { tenant, request }, async (processor) => {
 *   const processors = new LogitsProcessorList();
 *   processors.push(processor);
 *   const ids = await model.generate({ ...inputs, do_sample: true, top_k: 0, logits_processor: processors });
 *   return tokenizer.batch_decode(ids.slice(null, [promptLength, null]), { skip_special_tokens: true });
 * });
 *
 * @throws TouchmarkError CONFIG_INVALID without a text profile; TENANT_UNKNOWN; and, under a policy that
 *   fails closed, what kept the answers from being marked or recorded
 */
export async function generateWithTouchmark(
  touchmark: Touchmark,
  { tenant, request, modelVersion }: GenerationRequest,
  generate: (processor: WatermarkLogitsProcessor) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const answer = requireText(touchmark).begin(tenant);
  const texts = await generate(processorOf(answer));
  const version = modelVersion === undefined ? {} : { modelVersion };
  await answer.record({ request, texts, how: 'tokens', ...version });
  return texts;
}

function processorOf({ watermark }: TextAnswer): WatermarkLogitsProcessor {
  if (watermark) return createLogitsProcessor(watermark);
  const leave = <Tensor>(_: bigint[][], logits: Tensor): Tensor => logits;
  return Object.assign(leave, { _call: leave });
}
