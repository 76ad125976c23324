import type { Input, Missing, Outcome } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { HttpFailure } from './failures.ts';

/** Statuses by which a server may be speaking of one input rather than of itself. */
const blames: ReadonlyMap<number, Missing> = new Map([
  [400, 'unsupported'],
  [413, 'unsupported'],
  [422, 'unsupported'],
  [500, 'failed'],
]);

/** So many single inputs failing in a row are an outage and no longer a property of the inputs. */
const outage = 8;

/** Asks one request's worth of inputs, all of one kind and shape. */
export type Ask = (batch: readonly Input[], signal: AbortSignal) => Promise<readonly Outcome[]>;

/**
 * Asks for any number of inputs in requests of at most `size`, in order.
 *
 * Inputs of different kinds or tensor shapes never share a request. When a request fails with 400,
 * 413, 422 or 500 its halves are asked again, so that one indigestible input costs only its own
 * outcome ('unsupported', or 'failed' for 500) and every other is still answered once.
 */
export class Batches {
  readonly #size: number;
  readonly #ask: Ask;
  #failuresInRow = 0;

  /** @throws USAGE unless `size` is a whole number of at least 1. */
  constructor(size: number, ask: Ask) {
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new TouchmarkError('USAGE', `the batch size ${size} is no whole number of at least 1`);
    }
    this.#size = size;
    this.#ask = ask;
  }

  /** Returns one outcome per input; the error of `ask` when the blame cannot lie with one input. */
  async outcomes(inputs: readonly Input[], signal: AbortSignal): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const batch of split(inputs, this.#size))
      outcomes.push(...(await this.#batch(batch, signal)));
    return outcomes;
  }

  async #batch(batch: readonly Input[], signal: AbortSignal): Promise<readonly Outcome[]> {
    try {
      const outcomes = await this.#ask(batch, signal);
      this.#failuresInRow = 0;
      return outcomes;
    } catch (error) {
      const missing = blame(error);
      if (missing === undefined) throw error;
      if (batch.length > 1) return this.#halves(batch, signal);
      this.#failuresInRow += 1;
      if (this.#failuresInRow >= outage) throw error;
      return [{ missing }];
    }
  }

  async #halves(batch: readonly Input[], signal: AbortSignal): Promise<readonly Outcome[]> {
    const middle = Math.ceil(batch.length / 2);
    const first = await this.#batch(batch.slice(0, middle), signal);
    return [...first, ...(await this.#batch(batch.slice(middle), signal))];
  }
}

function blame(error: unknown): Missing | undefined {
  const cause = TouchmarkError.isInstance(error) ? error.cause : undefined;
  return cause instanceof HttpFailure ? blames.get(cause.status) : undefined;
}

function* split(inputs: readonly Input[], size: number): Generator<readonly Input[]> {
  let start = 0;
  for (let end = 1; end <= inputs.length; end += 1) {
    const full = end - start === size || end === inputs.length;
    if (!full && form(inputs[end]!) === form(inputs[start]!)) continue;
    yield inputs.slice(start, end);
    start = end;
  }
}

function form(input: Input): string {
  return typeof input === 'string' ? 'text' : input.shape.join(',');
}
