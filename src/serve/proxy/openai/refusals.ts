import { invalid } from '../../inputs.ts';

const unmarkedWords = 'it would tell the answer without its mark';
const otherChoice = 'answers are chosen in other ways here';
const elsewhere = 'it would have another model answer';

/**
 * Fields of OpenAI, vLLM, SGLang, llama.cpp and routers that no marked answer may be asked with, and
 * why. Log-probabilities with their alternatives teach a student what the model says unmarked, or, where
 * the biases are in them, show the biases to tenants who compare.
 */
const refused: Readonly<Record<string, string>> = {
  logprobs: unmarkedWords,
  top_logprobs: unmarkedWords,
  prompt_logprobs: unmarkedWords,
  n_probs: unmarkedWords,
  post_sampling_probs: unmarkedWords,
  return_hidden_states: unmarkedWords,
  echo: 'only what the model itself says is served',
  audio: 'only texts are served',
  best_of: otherChoice,
  use_beam_search: otherChoice,
  logits_processors: otherChoice,
  custom_logit_processor: otherChoice,
  custom_params: otherChoice,
  vllm_xargs: otherChoice,
  extra_body: elsewhere,
  models: elsewhere,
  fallbacks: elsewhere,
  api_base: elsewhere,
  base_url: elsewhere,
  api_key: elsewhere,
};

/** @throws RequestError 400 naming the first field that would undo a mark or show it */
export function requireServable(document: Readonly<Record<string, unknown>>): void {
  for (const [field, value] of Object.entries(document)) {
    if (!Object.hasOwn(refused, field) || isLeftOut(field, value)) continue;
    throw invalid(`${field}: not served, as ${refused[field]}; leave it out`);
  }
}

/** Clients send defaults that ask for nothing. */
function isLeftOut(field: string, value: unknown): boolean {
  if (value === null || value === false) return true;
  return field === 'best_of' ? value === 1 : field !== 'logprobs' && value === 0;
}
