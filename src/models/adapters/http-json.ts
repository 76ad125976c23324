import { z } from 'zod';
import type { Input } from '../../contracts.ts';
import { learn, openRemote, type RemoteClassifier, type RemoteOptions } from './remote.ts';
import { checkReply, wireLabel, wireLabels } from './replies.ts';
import { nest } from './tensors.ts';
import type { WireAnswers } from './wire-answers.ts';

const reply = z.object({
  labels: wireLabels.optional(),
  probabilities: z.array(z.array(z.unknown()).nullable()).optional(),
  answers: z.array(wireLabel.nullable()).optional(),
});

/**
 * Returns the classifier behind a plain JSON route, `http:URL`.
 *
 * `POST {"inputs": [text or nested numbers, ...]}` is answered with `{"labels": [class names],
 * "probabilities": [[one per label], ...]}`, with `{"answers": [class name, ...]}`, or with both; a
 * null in the place of a row or an answer is a refusal. `labels` without anything beside it are
 * answers, and `probabilities` without `labels` are read as `columnsOf` says. `describe` asks
 * `example`, as only an answer tells what such a route gives. Errors as for `openRemote`.
 */
export function openHttpJson(address: string, options: RemoteOptions): RemoteClassifier {
  return openRemote(address, options, (connection) => {
    const { url, shown, transport, example } = connection;
    const ask = async (inputs: readonly Input[], signal: AbortSignal): Promise<WireAnswers> => {
      const document = {
        inputs: inputs.map((input) => (typeof input === 'string' ? input : nest(input))),
        ...(options.labelsOnly === true ? { answers: 'labels' } : {}),
      };
      return read(await transport.post(url, document, signal), shown);
    };
    return {
      ask,
      describe: async (signal) => ({
        name: shown,
        ...learn(await ask([example], signal), connection),
      }),
    };
  });
}

function read(document: unknown, address: string): WireAnswers {
  const { labels, probabilities, answers } = checkReply(reply, document, address);
  if (probabilities === undefined && answers === undefined && labels !== undefined)
    return { answers: labels };
  return { labels, probabilities, answers, came: Object.keys(Object(document)) };
}
