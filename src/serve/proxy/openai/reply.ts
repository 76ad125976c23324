import { excerpt } from '../../../models/adapters/excerpt.ts';
import { unusable } from '../upstream-connection.ts';

type Document = Readonly<Record<string, unknown>>;

/** One of the answers in a reply, or what a piece of a stream adds to it. */
export interface Choice {
  readonly index: number;
  /** What a reader sees of it; tool calls and thoughts are none of it. */
  readonly text: string;
  readonly callsTool: boolean;
  readonly isFinished: boolean;
  /** What a client may see of it. */
  readonly document: Document;
}

/** A whole reply, or a piece of a stream. */
export interface Reply {
  /** The model, as its server names it; cut short. */
  readonly model: string | undefined;
  readonly choices: readonly Choice[];
  readonly promptTokens: number | undefined;
  readonly completionTokens: number | undefined;
  /** What a client may see of it, but for its choices. */
  readonly document: Document;
}

/**
 * What clients see. Servers add more when asked in ways of their own, and some of it would show the mark:
 * llama.cpp the settings of a generation, biases included, and vLLM the prompt's probabilities.
 */
const replyMembers = ['id', 'object', 'created', 'model', 'usage', 'system_fingerprint', 'service_tier', 'timings']; // biome-ignore format: a list
const choiceMembers = ['index', 'text', 'logprobs', 'finish_reason', 'stop_reason'];
const messageMembers = ['role', 'content', 'refusal', 'reasoning_content', 'reasoning', 'tool_calls', 'function_call', 'annotations']; // biome-ignore format: a list

/** Longer than any server's. */
const mostChoices = 1024;

/**
 * Returns what a whole reply or a piece of a stream holds.
 *
 * @throws TouchmarkError UPSTREAM_ANSWER_INVALID for what is none
 */
export function readReply(document: unknown): Reply {
  if (!isDocument(document)) throw unusable('is no JSON object');
  const { choices, model, usage } = document;
  if (!Array.isArray(choices) || choices.length > mostChoices) throw unusable('has no choices');
  const counts = isDocument(usage) ? usage : {};
  return {
    model: typeof model === 'string' ? excerpt(model, 200) : undefined,
    choices: choices.map(readChoice),
    promptTokens: countIn(counts['prompt_tokens']),
    completionTokens: countIn(counts['completion_tokens']),
    document: pick(document, replyMembers),
  };
}

/** Returns a reply as a client sees it. */
export function wordReply({ document, choices }: Reply): Document {
  return { ...document, choices: choices.map((choice) => choice.document) };
}

function readChoice(choice: unknown, place: number): Choice {
  if (!isDocument(choice)) throw unusable('has a choice that is no JSON object');
  const { index = place, text, finish_reason } = choice;
  if (!Number.isInteger(index) || Number(index) < 0 || Number(index) >= mostChoices) {
    throw unusable('has a choice at no place');
  }
  const name = isDocument(choice['message']) ? 'message' : 'delta';
  const message = choice[name];
  const spoken = isDocument(message) ? message : undefined;
  const { tool_calls, function_call } = spoken ?? {};
  return {
    index: Number(index),
    text: typeof text === 'string' ? text : textOf(spoken?.['content']),
    callsTool: (Array.isArray(tool_calls) && tool_calls.length > 0) || isDocument(function_call),
    isFinished: typeof finish_reason === 'string' && finish_reason !== '',
    document: {
      ...pick(choice, choiceMembers),
      ...(spoken && { [name]: pick(spoken, messageMembers) }),
    },
  };
}

/** A message is a text, or in parts of which some are texts. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part) => (isDocument(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .join('');
}

function countIn(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

export function isDocument(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns the members of a document that are named. */
export function pick(document: Document, members: readonly string[]): Document {
  const picked: Record<string, unknown> = {};
  for (const member of members) {
    if (document[member] !== undefined) picked[member] = document[member];
  }
  return picked;
}
