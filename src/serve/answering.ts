import type { Input } from '../contracts.ts';

/** What the gateway's clients may know of the model behind it. */
export interface ServedModel {
  readonly name: string;
  readonly version: string;
  readonly labels: readonly string[];
  /** Texts, or float32 tensors of one shape (without the batch dimension). */
  readonly input: 'text' | { readonly tensor: readonly number[] };
}

export interface AnsweringRequest {
  readonly tenant: string;
  /** At least one; checked against `ServedModel.input`, not yet canonical. */
  readonly inputs: readonly Input[];
  readonly wants: { readonly probabilities: boolean };
  /** False where the route serves answers without a mark. */
  readonly marked?: boolean;
}

export interface ServedAnswer {
  /** Index into the model's labels. */
  readonly label: number;
  /** One number per label of the model, summing to 1. */
  readonly probabilities: readonly number[];
}

/** What stands behind the gateway: it answers, marks and records. */
export interface Answering {
  readonly model: ServedModel;
  /** Resolves with one answer per input, in order, once they may be sent. */
  answer(
    request: AnsweringRequest,
    options: { readonly signal: AbortSignal },
  ): Promise<readonly ServedAnswer[]>;
  /** Says whether a request would be answered now. */
  ready(): Promise<boolean>;
}
