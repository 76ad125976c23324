import type { Input, Missing } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { type OpenAiApi, parseOpenAiAddress } from './openai-address.ts';
import { OpenAiConnection } from './openai-connection.ts';
import { answerOf } from './openai-labels.ts';
import { learn, openRemote, type RemoteClassifier, type RemoteOptions } from './remote.ts';
import type { WireAnswers } from './wire-answers.ts';

/** How a language model is asked to classify. */
export interface OpenAiOptions {
  /** The model's name; default the address's `?model=`, else the only one that the server lists. */
  readonly model?: string;
  /** Default what the address ends in, else chat. */
  readonly api?: OpenAiApi;
  /** The question, with {input} once and {labels} where the labels are to stand. */
  readonly prompt?: string;
  /** The system message; before the prompt where there are no roles. */
  readonly system?: string;
  /** Tokens to list with their probabilities, 1 to 20; default 20. */
  readonly topLogprobs?: number;
}

const plainPrompt =
  'Classify the text into one of these labels: {labels}\nAnswer with the label only.\n\nText: {input}\n\nLabel:';

/**
 * Returns a language model behind OpenAI's API as a classifier, `openai:http://host:port/v1?model=NAME`.
 *
 * Each input is one request at temperature 0; `labelIn` and `answerOf` say how what comes back is read.
 * Tensors are 'unsupported', a refusal or a content filter 'refused'. `describe` asks `example`, as
 * only an answer tells whether log-probabilities come.
 *
 * What servers differ in is learnt from their answers:
 * - OpenAI lists up to 20 tokens by chat and 5 by completions. Its reasoning models want
 *   `max_completion_tokens`, give no log-probabilities (400, or 403) and mostly take no temperature but
 *   1: those cannot be asked, and `describe` throws with what OpenAI says.
 * - vLLM (0.33) lists up to its `--max-logprobs`, 20. Its reasoning parsers take thoughts out of the
 *   text, but not out of the log-probabilities: then the label stands alone.
 * - llama.cpp's server (build 11549) gives chat's form of log-probabilities for completions too.
 * - Ollama (August 2026) does so as well, up to 20; older ones give none.
 * The last three ignore fields that they do not know.
 *
 * @throws USAGE for a prompt without {input} or another number of tokens; else as `openRemote`.
 */
export function openOpenAi(
  address: string,
  options: RemoteOptions & OpenAiOptions,
): RemoteClassifier {
  const { prompt = plainPrompt, system, topLogprobs = 20 } = options;
  checkOptions(prompt, topLogprobs);
  const place = parseOpenAiAddress(address, options);
  const labels = options.suspectLabels ?? options.labels;
  const longest = Math.max(0, ...labels.map((label) => Buffer.byteLength(label)));
  return openRemote(place.base.href, { ...options, batchSize: 1 }, (connection) => {
    const server = new OpenAiConnection(place, connection.transport);
    const ask = async (
      [input]: readonly Input[],
      signal: AbortSignal,
    ): Promise<WireAnswers | Missing> => {
      if (typeof input !== 'string') return 'unsupported';
      const reply = await server.ask(
        {
          prompt: fill(prompt, labels, input),
          ...(system !== undefined && { system }),
          maxTokens: Math.min(64, Math.max(8, longest)),
          temperature: 0,
          ...(options.labelsOnly !== true && { topLogprobs }),
        },
        signal,
      );
      return answerOf(reply, labels);
    };
    return {
      ask,
      describe: async (signal) => {
        const { shown, example } = connection;
        const { name } = await server.name(signal);
        const wire = await ask([example], signal);
        if (typeof wire !== 'string') return { name, ...learn(wire, connection) };
        throw new TouchmarkError('USAGE', `the language model at ${shown} takes text only`, {
          hint: 'a suspect must take what the protected model takes',
        });
      },
    };
  });
}

/** Fills both places in one pass, so that an input that says {labels} stays as it is. */
function fill(prompt: string, labels: readonly string[], input: string): string {
  return prompt.replace(/\{(input|labels)\}/g, (_, name) =>
    name === 'input' ? input : labels.join(', '),
  );
}

function checkOptions(prompt: string, topLogprobs: number): void {
  if (!prompt.includes('{input}')) {
    throw new TouchmarkError('USAGE', 'the prompt has no place for the input', {
      hint: 'write {input} where the text is to stand, and {labels} for the labels',
    });
  }
  if (Number.isInteger(topLogprobs) && topLogprobs >= 1 && topLogprobs <= 20) return;
  throw new TouchmarkError('USAGE', `${topLogprobs} tokens cannot be listed`, {
    hint: 'give topLogprobs from 1 to 20',
  });
}
