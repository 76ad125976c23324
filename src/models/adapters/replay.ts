import { z } from 'zod';
import type { Input, Outcome } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { excerpt } from './excerpt.ts';
import type { RemoteClassifier, RemoteOptions } from './remote.ts';
import { unusable } from './suspect-local.ts';
import { readWith } from './suspect-surroundings.ts';

const outcome = z.union([
  z.object({
    answer: z.object({
      label: z.string().max(256),
      probabilities: z.array(z.number().min(0).max(1)).exactOptional(),
    }),
  }),
  z.object({ missing: z.enum(['refused', 'failed', 'unsupported']) }),
]);
const kept = z.object({ id: z.string(), outcome });
const line = z.union([z.object({ payload: kept }).transform(({ payload }) => payload), kept]);

/**
 * Returns the classifier that a recorded run was, `replay:RUN_DIRECTORY` or `replay:FILE.jsonl`.
 *
 * Each line of its answers.jsonl holds the outcome of one probe, over the protected model's labels,
 * under the probe's identifier; it holds no question. So `options.replayIds` says which probe an
 * input was, and the recorded outcome is given. Nothing is asked of anybody, and a question that was
 * never answered gets no answer: asking it throws. A last line that was cut short counts as absent.
 *
 * @throws USAGE without `readFile` or `replayIds`. Asking throws INPUT_INVALID when the record cannot
 * be read or has another number of labels, RUN_INCOMPLETE when it holds no answer to a question.
 */
export function openReplay(path: string, options: RemoteOptions): RemoteClassifier {
  const file = path.endsWith('.jsonl') ? path : `${path.replace(/[\\/]+$/, '')}/answers.jsonl`;
  const { labels, replayIds, labelsOnly } = options;
  let recorded: Promise<ReadonlyMap<string, Outcome>> | undefined;
  const record = () => {
    recorded ??= readWith(options, file).then((bytes) => readRecord(bytes, file, labels.length));
    return recorded;
  };
  let asked = 0;
  const outside = { answers: 0, mass: 0 };
  const recall = (outcomes: ReadonlyMap<string, Outcome>, input: Input): Outcome => {
    if (replayIds === undefined) {
      throw new TouchmarkError('USAGE', `the record ${excerpt(file)} holds no questions`, {
        hint: 'replay a run with the questions of its own audit: only they say which probe each is',
      });
    }
    const found = outcomes.get(replayIds(input) ?? '');
    if (found === undefined) {
      throw new TouchmarkError(
        'RUN_INCOMPLETE',
        `the recorded run ${excerpt(file)} has no answer to this question`,
        { hint: 'resume the recorded run first, against the suspect itself' },
      );
    }
    if ('answer' in found && !labels.includes(found.answer.label)) outside.answers += 1;
    const bare = labelsOnly === true && 'answer' in found;
    return bare ? { answer: { label: found.answer.label } } : found;
  };
  return {
    inputsPerRequest: options.batchSize ?? 64,
    async describe({ signal }) {
      signal.throwIfAborted();
      const given = [...(await record()).values()].some(
        (each) => 'answer' in each && each.answer.probabilities !== undefined,
      );
      const probabilities = given && labelsOnly !== true;
      return {
        name: excerpt(file, 200),
        labels,
        gives: probabilities ? ['labels', 'probabilities'] : ['labels'],
      };
    },
    async classify(inputs, { signal }) {
      signal.throwIfAborted();
      const outcomes = await record();
      asked += 1;
      return inputs.map((input) => recall(outcomes, input));
    },
    counts: () => ({ requests: asked, retries: 0, outside: { ...outside } }),
    close: async () => {},
  };
}

function readRecord(bytes: Uint8Array, path: string, labels: number): Map<string, Outcome> {
  const outcomes = new Map<string, Outcome>();
  const text = Buffer.from(bytes).toString('utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  for (const [index, each] of whole.entries()) {
    if (each === '') continue;
    const { id, outcome: found } = readLine(each, path, index + 1);
    const wrong = 'answer' in found && (found.answer.probabilities?.length ?? labels) !== labels;
    if (wrong) {
      throw unusable(path, `has not ${labels} probabilities in line ${index + 1}`, ownRun);
    }
    outcomes.set(id, found);
  }
  return outcomes;
}

const ownRun = 'replay a run against the same protected model';

function readLine(text: string, path: string, number: number): z.output<typeof kept> {
  try {
    return line.parse(JSON.parse(text));
  } catch (cause) {
    throw unusable(path, `has no recorded answer in line ${number}`, ownRun, cause);
  }
}
