import { z } from 'zod';
import type { Description, Input } from '../../contracts.ts';
import { AnswerReader, type WireAnswers } from './answers.ts';
import { openRemote, type RemoteClassifier, type RemoteOptions } from './remote.ts';
import { checkReply, wireLabel, wireLabels } from './replies.ts';
import { nest } from './tensors.ts';

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
 * null in the place of a row or an answer is a refusal. `describe` asks `example`, as only an answer
 * tells what such a route gives. Errors as for `openRemote`.
 */
export function openHttpJson(address: string, options: RemoteOptions): RemoteClassifier {
  return openRemote(address, options, ({ url, shown, transport }) => {
    const ask = async (inputs: readonly Input[], signal: AbortSignal): Promise<WireAnswers> => {
      const document = {
        inputs: inputs.map((input) => (typeof input === 'string' ? input : nest(input))),
        ...(options.labelsOnly === true ? { answers: 'labels' } : {}),
      };
      return checkReply(reply, await transport.post(url, document, signal), shown);
    };
    const describe = async (signal: AbortSignal): Promise<Description> => {
      const wire = await ask([options.example ?? 'The quick brown fox.'], signal);
      new AnswerReader({ ...options, address: shown }).read(wire, 1);
      const labels = wire.labels ?? options.suspectLabels;
      const probabilities = wire.probabilities !== undefined && options.labelsOnly !== true;
      return {
        name: shown,
        ...(labels === undefined ? {} : { labels }),
        gives: probabilities ? ['labels', 'probabilities'] : ['labels'],
      };
    };
    return { ask, describe };
  });
}
