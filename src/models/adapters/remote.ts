import type { Classifier, Description, Input, Missing, Outcome } from '../../contracts.ts';
import { display, parseAddress } from './address.ts';
import type { AnswerShape } from './answer-shape.ts';
import { AnswerReader, type Outside } from './answers.ts';
import { Batches } from './batches.ts';
import { namedLabels } from './columns.ts';
import { type Credentials, type JsonTransport, openTransport } from './credentials.ts';
import type { Surroundings } from './suspect-surroundings.ts';
import type { TransportCounts, TransportOptions } from './transport.ts';
import type { WireAnswers } from './wire-answers.ts';

/** How to reach and read a classifier, whatever its protocol. */
export interface RemoteOptions extends TransportOptions, Credentials, Surroundings {
  /** The protected model's labels: the set that every answer is expressed in. */
  readonly labels: readonly string[];
  /** From the suspect's labels to ours, where the built-in rules do not find them. */
  readonly labelMap?: Readonly<Record<string, string>>;
  /** The suspect's own labels in its own order, for a suspect that does not name them. */
  readonly suspectLabels?: readonly string[];
  /** Asks for labels only, and drops probabilities that come all the same. */
  readonly labelsOnly?: boolean;
  /** Inputs in one request; default 64. */
  readonly batchSize?: number;
  /** Asked once by `describe` where only an answer tells what a suspect gives; default a sentence. */
  readonly example?: Input;
  /** Which probe of a recorded run an input was; only `replay:` needs it. */
  readonly replayIds?: (input: Input) => string | undefined;
}

/** What asking has cost and brought so far. */
export interface RemoteCounts extends TransportCounts {
  readonly outside: Outside;
  /** What the probabilities look like; absent when none came. */
  readonly shape?: AnswerShape;
}

/** A classifier that is not ours. Its errors, behind HTTP, are those of `Transport.post` and `AnswerReader.read`. */
export interface RemoteClassifier extends Classifier {
  /** Inputs that one request can hold. */
  readonly inputsPerRequest: number;
  counts(): RemoteCounts;
  /** Closes its connections and ends its processes; requests under way are cut off. */
  close(): Promise<void>;
}

/** What a protocol has to work with. */
export interface Connection {
  readonly url: URL;
  /** The address as it may be shown. */
  readonly shown: string;
  readonly transport: JsonTransport;
  readonly options: RemoteOptions;
  readonly example: Input;
}

/** A wire format: how to learn what a suspect is, and how to ask it one batch. */
export interface Protocol {
  describe(signal: AbortSignal): Promise<Description>;
  /** Inputs share one kind and shape; a `Missing` answers for all of them. */
  ask(inputs: readonly Input[], signal: AbortSignal): Promise<WireAnswers | Missing>;
}

/**
 * Returns a classifier that speaks a protocol at an address.
 *
 * @throws USAGE for an address, batch size or bearer token that cannot be used, CONFIG_INVALID for
 * a label map that leads outside `labels`.
 */
export function openRemote(
  address: string,
  options: RemoteOptions,
  speak: (connection: Connection) => Protocol,
): RemoteClassifier {
  const url = parseAddress(address);
  const shown = display(url);
  const transport = openTransport(options);
  const example = options.example ?? 'The quick brown fox.';
  const protocol = speak({ url, shown, transport, options, example });
  return readAnswers(protocol, shown, options, {
    counts: () => transport.counts,
    close: () => transport.close(),
  });
}

/**
 * Returns a classifier that asks in batches and reads what comes over the protected model's labels.
 *
 * @param shown Where it is, as it may be shown.
 * @throws USAGE for a batch size, CONFIG_INVALID for a label map that leads outside `labels`.
 */
export function readAnswers(
  protocol: Protocol,
  shown: string,
  options: RemoteOptions,
  {
    counts,
    close,
  }: { readonly counts: () => TransportCounts; readonly close: () => Promise<void> },
): RemoteClassifier {
  const reader = new AnswerReader({ ...options, address: shown });
  const inputsPerRequest = options.batchSize ?? 64;
  const batches = new Batches(inputsPerRequest, async (inputs, signal) => {
    const answer = await protocol.ask(inputs, signal);
    if (typeof answer !== 'string') return reader.read(answer, inputs.length);
    return inputs.map((): Outcome => ({ missing: answer }));
  });
  return {
    inputsPerRequest,
    describe: ({ signal }) => protocol.describe(signal),
    classify: (inputs, { signal }) => batches.outcomes(inputs, signal),
    counts: () => {
      const { shape, outside } = reader;
      return { ...counts(), outside, ...(shape.samples > 0 && { shape }) };
    },
    close,
  };
}

/**
 * Returns what one answer to the example tells of a suspect; nothing of it counts as `outside`.
 *
 * It gives probabilities when they could be read for the example, or when it refused the example and
 * has rows of them.
 *
 * @throws SUSPECT_ANSWER_INVALID as `AnswerReader.read`.
 */
export function learn(
  wire: WireAnswers,
  { options, shown }: Pick<Connection, 'options' | 'shown'>,
): Pick<Description, 'labels' | 'gives'> {
  const [outcome] = new AnswerReader({ ...options, address: shown }).read(wire, 1);
  const labels = namedLabels(wire, options);
  const readable =
    outcome !== undefined && 'answer' in outcome
      ? outcome.answer.probabilities !== undefined
      : (wire.probabilities ?? wire.named) !== undefined && options.labelsOnly !== true;
  return {
    ...(labels === undefined ? {} : { labels }),
    gives: readable ? ['labels', 'probabilities'] : ['labels'],
  };
}
