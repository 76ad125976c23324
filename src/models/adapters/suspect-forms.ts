import type { AccessForm } from './credentials.ts';
import type { HttpTemplate } from './http-template.ts';
import type { OpenAiOptions } from './openai.ts';

/** How the answers of any suspect are read. */
export interface ReadingForm {
  /** The suspect's labels in the order of its probabilities, if it does not name them. */
  readonly labels?: readonly string[];
  /** From the suspect's labels to ours, where they differ. */
  readonly labelMap?: Readonly<Record<string, string>>;
  /** Who runs it, for reports. */
  readonly operator?: string;
}

interface AddressForm<Kind extends string> extends ReadingForm, AccessForm {
  readonly kind: Kind;
  readonly url: string;
}

interface FileForm<Kind extends string> extends ReadingForm {
  readonly kind: Kind;
  /** A file or a directory, as each adapter says. */
  readonly path: string;
}

export type KserveForm = AddressForm<'kserve'>;
export type TensorFlowServingForm = AddressForm<'tfserving'>;
export interface HttpForm extends AddressForm<'http'>, HttpTemplate {}

/** A language model that is asked to classify. */
export interface OpenAiForm extends AddressForm<'openai'>, OpenAiOptions {}

export type TfjsForm = FileForm<'tfjs'>;
export type OnnxForm = FileForm<'onnx'>;
export type ReplayForm = FileForm<'replay'>;

export interface ExecForm extends ReadingForm {
  readonly kind: 'exec';
  /** The program and its arguments; no shell reads them. */
  readonly command: readonly string[];
}

/** A suspect with everything that is needed to ask it. */
export type SuspectForm =
  | KserveForm
  | TensorFlowServingForm
  | HttpForm
  | OpenAiForm
  | TfjsForm
  | OnnxForm
  | ReplayForm
  | ExecForm;

/** A suspect as `PROTOCOL:WHERE`, or in full. */
export type SuspectSpecification = string | SuspectForm;
