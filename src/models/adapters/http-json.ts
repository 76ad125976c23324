import { z } from 'zod';
import type { Input } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { type HttpTemplate, RequestTemplate } from './http-template.ts';
import { answersAt } from './http-template-answers.ts';
import { learn, openRemote, type RemoteClassifier, type RemoteOptions } from './remote.ts';
import { checkReply, wireLabel, wireLabels } from './replies.ts';
import type { WireAnswers } from './wire-answers.ts';

const reply = z.object({
  labels: wireLabels.optional(),
  probabilities: z.array(z.array(z.unknown()).nullable()).optional(),
  answers: z.array(wireLabel.nullable()).optional(),
});

/**
 * Returns the classifier behind a JSON route, `http:URL`.
 *
 * Without a template, `POST {"inputs": [text or nested numbers, ...]}` is answered with `{"labels":
 * [class names], "probabilities": [[one per label], ...]}`, with `{"answers": [class name, ...]}`, or
 * with both; a null in the place of a row or an answer is a refusal. `labels` without anything beside
 * it are answers, and `probabilities` without `labels` are read as `columnsOf` says.
 *
 * `options.request` is another body, `options.answers` says where other answers stand; see
 * `HttpTemplate`. A template for one question asks in requests of one question each, whatever the
 * batch size. `describe` asks `example`, as only an answer tells what such a route gives.
 *
 * @throws CONFIG_INVALID for a template without a place for questions, or pointers that lead to no
 * answer; else as `openRemote`.
 */
export function openHttpJson(
  address: string,
  options: RemoteOptions & HttpTemplate,
): RemoteClassifier {
  const { request, answers: pointers } = options;
  const template = new RequestTemplate(request);
  if (pointers !== undefined) checkPointers(pointers, template.single);
  const narrow = request === undefined && options.labelsOnly === true;
  const settings = template.single ? { ...options, batchSize: 1 } : options;
  return openRemote(address, settings, (connection) => {
    const { url, shown, transport, example } = connection;
    const ask = async (inputs: readonly Input[], signal: AbortSignal): Promise<WireAnswers> => {
      const body = template.fill(inputs);
      const document = narrow ? { ...Object(body), answers: 'labels' } : body;
      const answer = await transport.post(url, document, signal);
      if (pointers === undefined) return read(answer, shown);
      return answersAt(answer, pointers, { single: template.single, address: shown });
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

function checkPointers(pointers: NonNullable<HttpTemplate['answers']>, single: boolean): void {
  const { rows, label, labels, probabilities } = pointers;
  const each = single || rows !== undefined;
  const wrong = each ? labels !== undefined : label !== undefined;
  const found = each ? label : labels;
  const lone = single && rows !== undefined;
  if (!wrong && !lone && (found !== undefined || probabilities !== undefined)) return;
  throw new TouchmarkError('CONFIG_INVALID', 'the answers of the suspect lead to no answer', {
    hint: single
      ? 'with "{input}" give answers.label, answers.probabilities, or both, and no rows'
      : 'give answers.labels, answers.probabilities, or both; or answers.rows, and label or probabilities in each',
  });
}

function read(document: unknown, address: string): WireAnswers {
  const { labels, probabilities, answers } = checkReply(reply, document, address);
  if (probabilities === undefined && answers === undefined && labels !== undefined)
    return { answers: labels };
  return { labels, probabilities, answers, came: Object.keys(Object(document)) };
}
