import { z } from 'zod';
import type { Input } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { canonicalInput } from '../../keys/canonical-input.ts';
import type { ClassifierProfile } from '../../watermark/classifier-profile.ts';
import type { ServedAnswer, ServedModel } from '../answering.ts';
import { clientError, RequestError } from '../failures.ts';
import { readDocument } from '../fronts/documents.ts';
import { readInputs } from '../inputs.ts';
import { defaultLimits } from '../limits.ts';
import type { Marking } from '../marking.ts';
import type { Touchmark } from './touchmark.ts';

/** What a route was asked and what its model said, one row of probabilities for each input. */
export interface ReadReply {
  readonly inputs: readonly Input[];
  /** Over the profile's labels, in their order. */
  readonly probabilities: readonly (readonly number[])[];
}

/**
 * How questions and answers are found in a route's JSON. By default it speaks the gateway's plain wire:
 * `{"inputs": [...]}`, answered with `{"labels": [...], "probabilities": [[...], ...]}` and nothing
 * else, as any other member could give the model's own answer away.
 */
export type ReplyWire<Request> =
  | { readonly read?: never; readonly write?: never }
  | {
      /** @param reply the JSON that the route is about to send; it is not to be changed */
      read(request: Request, reply: unknown): ReadReply | Promise<ReadReply>;
      /** Returns the JSON to send, in which nothing may tell the model's own answer. */
      write(answers: readonly ServedAnswer[], reply: unknown): unknown;
    };

export type ReplyOptions<Request> = ReplyWire<Request> & {
  /** What the model says its version is; the touchmark's own without it. */
  readonly modelVersion?: string;
};

/** What a client is told instead of an answer. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
}

/** Marks a route's replies, whatever the framework. */
export interface ReplyMarker<Request> {
  /** @throws RequestError 401 for nobody known */
  admit(request: Request): Promise<string>;
  /** Resolves with the JSON to send once it is recorded; throws what `Marking.serve` does. */
  mark(tenant: string, request: Request, reply: unknown): Promise<unknown>;
  /** The same for a reply that is written already, as text. */
  markText(tenant: string, request: Request, reply: string): Promise<string>;
  /** Returns what to tell a client of a failure, and tells the operator of those on this side. */
  refusal(error: unknown): Refusal;
}

/**
 * @param bodyOf gives the JSON of a request's body
 * @throws TouchmarkError CONFIG_INVALID where no watermark is sealed for a classifier
 */
export function createReplyMarker<Request>(
  touchmark: Touchmark<Request>,
  options: ReplyOptions<Request>,
  bodyOf: (request: Request) => unknown,
): ReplyMarker<Request> {
  const { tenantOf, onFailure } = touchmark;
  const marking = requireClassifier(touchmark);
  const { read, write, modelVersion } = options.read
    ? options
    : { ...plainWire(marking.profile, bodyOf), ...options };

  const mark = async (tenant: string, request: Request, reply: unknown): Promise<unknown> => {
    const { inputs, probabilities } = await read(request, reply);
    const answers = await marking.serve({
      tenant,
      inputs: inputs.map(canonicalInput),
      clean: probabilities,
      ...(modelVersion !== undefined && { modelVersion }),
    });
    return write(answers, reply);
  };

  return {
    async admit(request) {
      const tenant = await tenantOf(request);
      if (tenant !== undefined) return tenant;
      throw new RequestError(401, 'unknown tenant');
    },
    mark,
    async markText(tenant, request, reply) {
      return JSON.stringify(await mark(tenant, request, parseReply(reply)));
    },
    refusal(error) {
      const { status, message, ours } = clientError(error);
      if (ours) onFailure?.(error);
      return { status, message };
    },
  };
}

/** Says whether a status promises an answer. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Returns the error for a reply that cannot be marked; it is never sent as it is. */
export function unusableReply(what: string, hint: string, cause?: unknown): TouchmarkError {
  return new TouchmarkError('UPSTREAM_ANSWER_INVALID', `The route's reply ${what}.`, {
    hint,
    cause,
  });
}

function requireClassifier({ classifier }: Touchmark<never>): Marking {
  if (classifier) return classifier;
  throw new TouchmarkError('CONFIG_INVALID', 'No watermark is sealed for a classifier.', {
    hint: 'Give openTouchmark `classify`, which asks your model, or seal it with `touchmark serve` once.',
  });
}

function parseReply(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unusableReply(
      'is no JSON',
      'Mark routes that answer in JSON, before compression.',
      cause,
    );
  }
}

const question = z.object({ inputs: z.array(z.unknown(), 'must be an array') });
const plainReply = z.strictObject({
  labels: z.array(z.string()).optional(),
  probabilities: z.array(z.array(z.number())),
});
const unlimited = { ...defaultLimits, maxBatch: Infinity, maxTextLength: Infinity };

function plainWire<Request>(
  { labels, features }: ClassifierProfile,
  bodyOf: (request: Request) => unknown,
) {
  const takes: ServedModel['input'] =
    features.kind === 'text' ? 'text' : { tensor: features.shape };
  return {
    async read(request: Request, reply: unknown): Promise<ReadReply> {
      const parsed = plainReply.safeParse(reply);
      if (!parsed.success) {
        throw unusableReply(
          `is not {labels, probabilities}: ${z.prettifyError(parsed.error)}`,
          'Give the plugin `read` and `write`, which know your JSON.',
        );
      }
      requireLabels(labels, parsed.data.labels);
      const { inputs } = readDocument(question, await bodyOf(request), 'the body');
      const { probabilities } = parsed.data;
      return { inputs: readInputs(inputs, takes, unlimited), probabilities };
    },
    write(answers: readonly ServedAnswer[], reply: unknown): unknown {
      const probabilities = answers.map((answer) => answer.probabilities);
      return isLabelled(reply) ? { labels, probabilities } : { probabilities };
    },
  };
}

function isLabelled(reply: unknown): boolean {
  return typeof reply === 'object' && reply !== null && 'labels' in reply;
}

function requireLabels(sealed: readonly string[], found: readonly string[] | undefined): void {
  if (found === undefined) return;
  if (found.length === sealed.length && found.every((label, at) => label === sealed[at])) return;
  throw unusableReply(
    `has the labels ${JSON.stringify(found.slice(0, 20))}; the watermark was sealed for others, or in another order`,
    `Answer with ${JSON.stringify(sealed.slice(0, 20))}, in this order.`,
  );
}
