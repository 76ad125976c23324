/** The records and ports that the rooms of the house exchange. */

/** Text, or a dense tensor as shape plus row-major float32 values. */
export type Input = string | TensorInput;
export interface TensorInput {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** How a test's null hypothesis is randomised; only the first two are ever counted. */
export type NullKind = 'keyed' | 'reference' | 'descriptive';

/** What one test says about a suspect. */
export interface Evidence {
  readonly test: string;
  readonly null: NullKind;
  readonly status: 'done' | 'partial' | 'not-applicable';
  /** log10 of the e-value, valid at every call; 0 for descriptive evidence. */
  readonly log10E: number;
  /** log10 of a fixed-sample p-value, exact or conservative, where one exists. */
  readonly log10P?: number;
  readonly probes: number;
  /** Why probes did not count, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly effect: Readonly<Record<string, number>>;
  /** Commitments to the key material used; disjointness is checked before multiplying. */
  readonly keyMaterial: readonly string[];
  readonly assumptions: readonly string[];
}

/** What a model gives when asked. */
export type Capability = 'labels' | 'probabilities';

/** A classifier's answer: a label, and probabilities over the description's labels if it gives any. */
export interface Answer {
  readonly label: string;
  /** One number per label of the protected label set; absent for label-only models. */
  readonly probabilities?: readonly number[];
}

export type Missing = 'refused' | 'failed' | 'unsupported';

/** What a model says of itself, or what could be learnt by asking. */
export interface Description {
  readonly name: string;
  readonly version?: string;
  readonly labels?: readonly string[];
  readonly gives: readonly Capability[];
}

/** A classifier somewhere: in this process, or behind an address. */
export interface Classifier {
  describe(options: { readonly signal: AbortSignal }): Promise<Description>;
  classify(
    inputs: readonly Input[],
    options: { readonly signal: AbortSignal },
  ): Promise<readonly Outcome[]>;
}

/** The tokens to which an engine has cut the next one, in any order, each once, and their logits. */
export interface TokenCandidates {
  readonly tokens: Int32Array;
  readonly logits: Float32Array | Float64Array;
}

/** Marks the next token's logits in place, for one sequence that grows token by token. */
export interface TokenMarker {
  /**
   * @param logits one per token id; lasting only as long as the call
   * @param context the token ids so far, prompt and output, oldest first
   */
  mark(logits: Float32Array, context: Int32Array): void;
  /** Marks candidates in place, as `mark` would if all other tokens were impossible. */
  markCandidates?(candidates: TokenCandidates, context: Int32Array): void;
}

/** Turns text into token ids and back. */
export interface Tokenizer {
  readonly name: string;
  readonly vocabularySize: number;
  encode(text: string): readonly number[];
  decode(tokens: readonly number[]): string;
}

/** How a language model draws tokens. */
export interface Sampling {
  readonly maxTokens: number;
  /** 0 takes the likeliest token; 1 is the model's own distribution. */
  readonly temperature: number;
  readonly topK?: number;
  /** The same seed and prompt give the same completion, where the model can promise it. */
  readonly seed?: string;
}

/** Text, or token ids of the tokenizer that both sides use. */
export type Prompt = string | Int32Array;

export interface Completion {
  readonly text: string;
  /** The tokens as drawn, where the model tells; the text encoded again may differ from them. */
  readonly tokens?: Int32Array;
}

/** Log-probabilities (natural) of the next token; tokens that are not listed are unknown. */
export interface TokenDistribution {
  readonly tokens: Int32Array;
  readonly logProbabilities: Float32Array;
}

/** What a language model gives when asked. */
export type LanguageCapability = 'completions' | 'token-probabilities';

export interface LanguageDescription {
  readonly name: string;
  readonly version?: string;
  readonly vocabularySize?: number;
  readonly gives: readonly LanguageCapability[];
}

/** A language model somewhere: in this process, or behind an address. */
export interface LanguageModel {
  describe(options: { readonly signal: AbortSignal }): Promise<LanguageDescription>;
  /** One outcome per prompt, in order. */
  complete(
    prompts: readonly Prompt[],
    options: { readonly sampling: Sampling; readonly signal: AbortSignal },
  ): Promise<readonly Outcome<'complete'>[]>;
  /** The next-token distribution after each context, where the model gives it. */
  score?(
    contexts: readonly Int32Array[],
    options: { readonly signal: AbortSignal },
  ): Promise<readonly Outcome<'score'>[]>;
}

/** What may be asked of a model, and what it answers. */
export interface Tasks {
  readonly classify: { readonly input: Input; readonly answer: Answer };
  readonly complete: {
    readonly input: { readonly prompt: Prompt; readonly sampling: Sampling };
    readonly answer: Completion;
  };
  /** The input is the tokens before the next one. */
  readonly score: { readonly input: Int32Array; readonly answer: TokenDistribution };
}
export type Task = keyof Tasks;

/** One question put to a suspect. */
export interface Probe<T extends Task = 'classify'> {
  readonly id: string;
  readonly task: T;
  readonly input: Tasks[T]['input'];
  readonly repeat: number;
}

export type Outcome<T extends Task = 'classify'> =
  | { readonly answer: Tasks[T]['answer'] }
  | { readonly missing: Missing };
export type Observation<T extends Task = 'classify'> = { readonly probe: Probe<T> } & Outcome<T>;

/** One run of a test: asks for probes, folds what came back, and can say at any time what it has. */
export interface TestRun<T extends Task = 'classify'> {
  next(): readonly Probe<T>[];
  fold(observations: readonly Observation<T>[]): void;
  evidence(): Evidence;
}

/** A kind of test. `Material` is the finished data it works on. */
export interface ProvenanceTest<
  Material,
  T extends Task = 'classify',
  Needs extends Capability | LanguageCapability = Capability,
> {
  readonly name: string;
  readonly null: NullKind;
  readonly needs: readonly Needs[];
  start(material: Material): TestRun<T>;
}

/** A question, as the serving log remembers it, and what was answered. */
export interface ServedRecord {
  /** Position in the log over all tenants; served order. */
  readonly sequence: number;
  readonly tenant: string;
  readonly epoch: string;
  /** ISO 8601, UTC. */
  readonly servedAt: string;
  readonly modelVersion: string;
  readonly input: Input;
  /** The protected model's own probabilities, floored and renormalised. */
  readonly clean: readonly number[];
  /** The marked probabilities, recorded also when the tenant asked for the label only. */
  readonly served: readonly number[];
  /** Index of the label that the tenant received. */
  readonly label: number;
  readonly marks: ServedMarks;
}

export interface ServedMarks {
  readonly probability: boolean;
  /** The pair of classes between which a keyed coin chose, top-1 first; absent when no coin fell. */
  readonly coin?: { readonly top: number; readonly second: number; readonly outcome: 0 | 1 };
}

/** A text answer, as the serving log remembers it. */
export interface ServedText {
  /** Position in the log over all tenants and kinds of records; served order. */
  readonly sequence: number;
  readonly tenant: string;
  readonly epoch: string;
  /** ISO 8601, UTC. */
  readonly servedAt: string;
  readonly modelVersion: string;
  /** The question as its client sent it, in RFC 8785 JSON: a prompt, or messages and sampling. */
  readonly request: string;
  /** The texts that were served, one for each choice; as far as they came, where a stream broke off. */
  readonly texts: readonly string[];
  readonly marks: TextMarks;
}

/** How an answer's tokens were biased: by a `logit_bias`, by choosing among drafts, token by token, or not. */
export interface TextMarks {
  readonly text: 'logit-bias' | 'drafts' | 'tokens' | false;
  /** Drafts that the answer was chosen from. */
  readonly drafts?: number;
}

/** What a gateway hands to the log; the log adds the sequence. */
export type LoggedAnswer = Omit<ServedRecord, 'sequence'> | Omit<ServedText, 'sequence'>;

/** Reports how far a long piece of work has come. */
export type Progress = (stage: string, done: number, total: number) => void;
