import { TouchmarkError } from '../../../errors.ts';
import { parseJson } from '../../../json.ts';
import { clientError } from '../../failures.ts';
import { unusable, upstreamFailure } from '../upstream-connection.ts';
import { openAiError } from './errors.ts';
import { type Choice, type Reply, readReply, wordReply } from './reply.ts';
import { asEvent, readEvents } from './server-sent-events.ts';

/** What was served in a stream, as far as it came. */
export interface StreamedTexts {
  readonly texts: readonly string[];
  /** The model, as its server names it. */
  readonly model: string | undefined;
}

export interface RelayOptions {
  readonly body: AsyncIterable<Uint8Array>;
  /** How many answers the stream is to hold. */
  readonly choices: number;
  /** Aborted when the client went away. */
  readonly gone: AbortSignal;
  /** Resolves once the log has what was served. */
  record(served: StreamedTexts): Promise<void>;
  /** Hears of a failure after the answer has begun. */
  report(error: unknown): void;
}

const keepAlive = ':\n\n';
const end = asEvent('[DONE]');

/**
 * Returns an upstream's stream as it goes to the client, event by event.
 *
 * What ends the last answer, and all after it, is held until the log has the texts: no client sees a
 * finished answer that the log lacks. When the upstream breaks off, the log refuses or the stream is
 * none of this protocol, the client's ends with an error event and without `[DONE]`. Whatever was sent
 * by then is recorded, as it is when the client goes away; the upstream is then told to stop.
 */
export async function* relayStream(options: RelayOptions): AsyncGenerator<string> {
  const { body, choices, gone, record, report } = options;
  const events = readEvents(body);
  const heard = new HeardTexts(choices);
  let [ready, held] = ['', ''];
  let [isOver, isRecorded] = [false, false];
  try {
    while (!isOver) {
      const next = await events.next().catch((cause: unknown) => {
        throw TouchmarkError.isInstance(cause) ? cause : upstreamFailure(cause, gone);
      });
      if (next.done) break;
      for (const event of next.value) {
        isOver ||= event.kind === 'event' && event.data.trim() === '[DONE]';
        if (isOver) break;
        if (event.kind === 'comment') {
          ready += keepAlive;
          continue;
        }
        if (event.kind === 'error') throw upstreamError();
        const words = asEvent(JSON.stringify(heard.hear(parseJson(event.data))));
        if (heard.isComplete) held += words;
        else ready += words;
      }
      if (ready !== '') yield ready;
      ready = '';
    }
    if (!isOver && !heard.isComplete) throw brokenOff();
    isRecorded = true;
    await record(heard.served);
    yield held + end;
  } catch (cause) {
    if (!gone.aborted) {
      report(cause);
      yield ready + asEvent(JSON.stringify(openAiError(clientError(cause))));
    }
  } finally {
    if (isOver) void drain(events);
    else await events.return(undefined).catch(() => undefined);
    if (!isRecorded && heard.isSomething) await record(heard.served).catch(report);
  }
}

/** The connection can be used again once the upstream has ended its answer. */
async function drain(events: AsyncGenerator<unknown>): Promise<void> {
  try {
    while (!(await events.next()).done);
  } catch {
    // the answer was whole before
  }
}

/** Gathers the texts of a stream's answers. */
class HeardTexts {
  readonly #texts: string[];
  readonly #finished = new Set<number>();
  #model: string | undefined;

  constructor(choices: number) {
    this.#texts = Array.from({ length: choices }, () => '');
  }

  get served(): StreamedTexts {
    return { texts: this.#texts, model: this.#model };
  }

  /** Every answer has come to its end. */
  get isComplete(): boolean {
    return this.#finished.size === this.#texts.length;
  }

  get isSomething(): boolean {
    return this.#texts.some((text) => text !== '');
  }

  /** Notes a piece and returns it as the client sees it. @throws TouchmarkError as `readReply` */
  hear(document: unknown): object {
    if (isError(document)) throw upstreamError();
    const reply: Reply = readReply(document);
    this.#model ??= reply.model;
    for (const choice of reply.choices) this.#hear(choice);
    return wordReply(reply);
  }

  #hear({ index, text, isFinished }: Choice): void {
    const before = this.#texts[index];
    if (before === undefined) throw unusable('has more choices than were asked for');
    this.#texts[index] = before + text;
    if (isFinished) this.#finished.add(index);
  }
}

/** Servers that fail after they began to answer say so in an event. */
function isError(document: unknown): boolean {
  return typeof document === 'object' && document !== null && 'error' in document;
}

function upstreamError(): TouchmarkError {
  return new TouchmarkError('UPSTREAM_FAILED', 'the upstream failed while it answered', {
    hint: 'see what the model server logs',
  });
}

function brokenOff(): TouchmarkError {
  return new TouchmarkError('UPSTREAM_FAILED', 'the upstream broke off its answer', {
    hint: 'see whether the model server runs, and what it logs',
  });
}
