import { unusable } from '../upstream-connection.ts';

/** One event of a stream, or a comment, which says nothing but that somebody is there. */
export type ServerSentEvent =
  | { readonly kind: 'event' | 'error'; readonly data: string }
  | { readonly kind: 'comment' };

/** UTF-16 units of one event; servers send some hundred. */
const longestEvent = 4 * 2 ** 20;

/**
 * Reads server-sent events (WHATWG HTML, section 9.2.6) from pieces of text cut anywhere: lines end
 * in LF, CR or CRLF, data may have several lines, and an event that no empty line ends never was one.
 * llama.cpp words errors as a field `error`; they and events of that type are errors.
 */
export class EventReader {
  /** Of the line that has no end yet. */
  readonly #pieces: string[] = [];
  #data: string[] = [];
  #isError = false;
  #length = 0;
  #afterReturn = false;

  /** Returns what the piece completes. @throws TouchmarkError UPSTREAM_ANSWER_INVALID when too long */
  push(piece: string): ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    let from = this.#afterReturn && piece.startsWith('\n') ? 1 : 0;
    if (piece !== '') this.#afterReturn = piece.endsWith('\r');
    const ends = /\r\n?|\n/g;
    ends.lastIndex = from;
    for (let end = ends.exec(piece); end !== null; end = ends.exec(piece)) {
      this.#grow(end.index - from);
      this.#pieces.push(piece.slice(from, end.index));
      from = ends.lastIndex;
      const event = this.#take(this.#pieces.splice(0).join(''));
      if (event) events.push(event);
    }
    if (from < piece.length) {
      this.#grow(piece.length - from);
      this.#pieces.push(piece.slice(from));
    }
    return events;
  }

  #grow(by: number): void {
    this.#length += by;
    if (this.#length > longestEvent) throw unusable('has an event that is too long');
  }

  #take(line: string): ServerSentEvent | undefined {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return { kind: 'comment' };
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data' || field === 'error') this.#data.push(value);
    if (field === 'error' || (field === 'event' && value === 'error')) this.#isError = true;
    return undefined;
  }

  #dispatch(): ServerSentEvent | undefined {
    const [data, isError] = [this.#data, this.#isError];
    [this.#data, this.#isError, this.#length] = [[], false, 0];
    if (data.length === 0) return undefined;
    return { kind: isError ? 'error' : 'event', data: data.join('\n') };
  }
}

/** Returns the events of a body, those of one piece together, as they come. */
export async function* readEvents(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly ServerSentEvent[]> {
  const decoder = new TextDecoder();
  const reader = new EventReader();
  for await (const bytes of body) {
    const events = reader.push(decoder.decode(bytes, { stream: true }));
    if (events.length > 0) yield events;
  }
}

/** Words one line of data as an event. */
export function asEvent(data: string): string {
  return `data: ${data}\n\n`;
}
