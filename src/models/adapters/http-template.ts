import type { Input } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { excerpt } from './excerpt.ts';
import { type NestedNumbers, nest } from './tensors.ts';

/** Any value that JSON has. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

/** What a JSON API is sent, and where its answers stand. */
export interface HttpTemplate {
  /**
   * The body, with the text "{input}" where one question goes, or "{inputs}" where all of a batch go;
   * default `{"inputs": "{inputs}"}`. Within a longer text, "{input}" is replaced by a text only.
   */
  readonly request?: Json;
  readonly answers?: AnswerPointers;
}

/**
 * JSON pointers (RFC 6901) to the answer's parts. With "{input}" they lead to one answer. With
 * "{inputs}", `labels` and `probabilities` lead to arrays of one entry per question; or `rows` leads
 * to such an array, and the others then start from one of its entries.
 */
export interface AnswerPointers {
  /** One entry per question. */
  readonly rows?: string;
  /** The label that was decided. */
  readonly label?: string;
  /** The labels that were decided, one per question. */
  readonly labels?: string;
  /**
   * Numbers in the order of `classNames`; `{label: probability}`; or a list of objects or pairs of a
   * label and its score.
   */
  readonly probabilities?: string;
  /** The labels of the probabilities, in order. */
  readonly classNames?: string;
}

const one = '{input}';
const all = '{inputs}';

/** A request's body with its places for questions. */
export class RequestTemplate {
  readonly #body: Json;
  /** True when one request takes one question. */
  readonly single: boolean;

  /** @throws CONFIG_INVALID unless the body has a place for questions, and not for both kinds */
  constructor(body: Json = { inputs: all }) {
    const places = placesIn(body);
    if (places.one === places.all) {
      throw new TouchmarkError(
        'CONFIG_INVALID',
        places.one
          ? `the request template holds both "${one}" and "${all}"`
          : `the request template has no place for questions`,
        { hint: `write "${one}" where one question goes, or "${all}" where a list of them goes` },
      );
    }
    this.#body = body;
    this.single = places.one;
  }

  /** Returns the body that asks; `single` templates take the first of the inputs. */
  fill(inputs: readonly Input[]): unknown {
    const questions = inputs.map((input) => (typeof input === 'string' ? input : nest(input)));
    return this.#fill(this.#body, questions);
  }

  #fill(value: Json, questions: readonly NestedQuestion[]): unknown {
    if (typeof value === 'string') return this.#place(value, questions);
    if (Array.isArray(value)) return value.map((each: Json) => this.#fill(each, questions));
    if (typeof value !== 'object' || value === null) return value;
    const filled = Object.entries(value).map(([name, each]) => [name, this.#fill(each, questions)]);
    return Object.fromEntries(filled);
  }

  #place(text: string, questions: readonly NestedQuestion[]): unknown {
    if (!this.single) return text === all ? questions : text;
    const [question] = questions;
    if (text === one) return question;
    if (!text.includes(one)) return text;
    if (typeof question === 'string') return text.split(one).join(question);
    throw new TouchmarkError(
      'CONFIG_INVALID',
      `the request template has "${one}" within the text "${excerpt(text, 60)}", and the input is a tensor`,
      { hint: `for tensors "${one}" stands alone` },
    );
  }
}

type NestedQuestion = string | NestedNumbers;

function placesIn(value: Json): { one: boolean; all: boolean } {
  if (typeof value === 'string') return { one: value.includes(one), all: value === all };
  if (typeof value !== 'object' || value === null) return { one: false, all: false };
  const inside = Object.values(value).map(placesIn);
  return { one: inside.some((each) => each.one), all: inside.some((each) => each.all) };
}
