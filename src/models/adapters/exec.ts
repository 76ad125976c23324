import { z } from 'zod';
import type { Input, Missing } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { excerpt } from './excerpt.ts';
import { runProgram } from './exec-program.ts';
import { learn, type RemoteClassifier, type RemoteOptions } from './remote.ts';
import { checkReply, invalidAnswer, wireLabel, wireLabels } from './replies.ts';
import { displayCommand } from './suspect-command.ts';
import { openLocal } from './suspect-local.ts';
import { nest } from './tensors.ts';
import type { WireAnswers } from './wire-answers.ts';

const line = z.object({
  id: z.string().max(64),
  label: wireLabel.optional(),
  probabilities: z.union([z.array(z.unknown()), z.record(wireLabel, z.unknown())]).optional(),
  labels: wireLabels.optional(),
  missing: z.enum(['refused', 'failed', 'unsupported']).optional(),
});
type Line = z.infer<typeof line>;

/**
 * Returns the classifier that a program is, `exec:COMMAND ARGUMENTS`.
 *
 * The program is started for each batch. On stdin it gets a line `{"id": "0", "input": text or nested
 * numbers}` for each question and then the end; on stdout it writes, in any order, a line for each:
 * `{"id": "0", "label": "en"}`, `{"id": "0", "probabilities": {"en": 0.9, ...}}` or `[...]` in the
 * order of `labels` beside it or of the suspect's configured labels, both, or `{"id": "0", "missing":
 * "refused"}` ("failed", "unsupported"). No shell is involved and no TOUCHMARK_* variable is passed on.
 * A batch has `timeoutMilliseconds` (30 s by default) and `responseLimitBytes` (16 MiB) of output; a
 * line has at most 1 MiB. The program and its children are killed when either is exceeded or the
 * signal fires.
 *
 * @throws USAGE for an empty command. Asking throws SUSPECT_UNREACHABLE when the program cannot be
 * run, takes too long or ends with an error, quoting the end of its stderr; SUSPECT_ANSWER_INVALID for
 * lines that are no such answers.
 */
export function openExec(command: readonly string[], options: RemoteOptions): RemoteClassifier {
  if (command[0] === undefined || command[0] === '') {
    throw new TouchmarkError('USAGE', 'the suspect is an empty command', {
      hint: 'write exec:COMMAND ARGUMENTS',
    });
  }
  const shown = displayCommand(command);
  const { example = 'The quick brown fox.' } = options;
  const ask = async (
    inputs: readonly Input[],
    signal: AbortSignal,
  ): Promise<WireAnswers | Missing> => {
    const questions = inputs.map((input, index) =>
      JSON.stringify({
        id: String(index),
        input: typeof input === 'string' ? input : nest(input),
      }),
    );
    const lines = await runProgram(command, questions, { ...options, shown, signal });
    return new Answers(lines, inputs.length, shown).read();
  };
  return openLocal(shown, options, {
    ask,
    async describe(signal) {
      const wire = await ask([example], signal);
      if (typeof wire !== 'string') return { name: shown, ...learn(wire, { options, shown }) };
      return { name: shown, gives: ['labels'] };
    },
  });
}

/** The lines of one batch, put in the order of its questions. */
class Answers {
  readonly #rows: readonly Line[];
  readonly #shown: string;

  constructor(lines: readonly string[], inputs: number, shown: string) {
    this.#shown = shown;
    const rows = new Map<string, Line>();
    for (const text of lines) {
      const row = checkReply(line, this.#parse(text), shown);
      if (rows.has(row.id)) throw this.#invalid(`answers "${excerpt(row.id)}" twice`);
      rows.set(row.id, row);
    }
    this.#rows = Array.from({ length: inputs }, (_, index) => {
      const row = rows.get(String(index));
      if (row === undefined) throw this.#invalid(`has no line for "${index}" of ${inputs} inputs`);
      return row;
    });
    if (rows.size > inputs) throw this.#invalid(`holds ${rows.size} lines for ${inputs} inputs`);
  }

  read(): WireAnswers {
    const given = this.#rows.filter(({ missing }) => missing === undefined);
    const labelled = given.some(({ label }) => label !== undefined);
    const scored = given.some(({ probabilities }) => probabilities !== undefined);
    for (const { id, label, probabilities } of given) {
      if ((label !== undefined || !labelled) && (probabilities !== undefined || !scored)) continue;
      throw this.#invalid(`has other parts for "${excerpt(id)}" than for the rest of its batch`);
    }
    const missing = this.#rows.map((row) => row.missing);
    return {
      missing,
      ...((labelled || !scored) && { answers: this.#rows.map(({ label = null }) => label) }),
      ...(scored && this.#scores(given)),
    };
  }

  #scores(given: readonly Line[]): WireAnswers {
    if (given.some(({ probabilities }) => !Array.isArray(probabilities))) {
      return { named: this.#rows.map(named) };
    }
    const [labels, ...others] = given.map((row) => row.labels);
    if (others.some((each) => each?.join('\n') !== labels?.join('\n'))) {
      throw this.#invalid('has lines with other labels in one batch');
    }
    const rows = this.#rows.map(({ probabilities }) =>
      Array.isArray(probabilities) ? probabilities : null,
    );
    return { labels, probabilities: rows };
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw this.#invalid(`has a line that is no JSON: ${excerpt(text, 60)}`);
    }
  }

  #invalid(what: string): TouchmarkError {
    return invalidAnswer(
      this.#shown,
      what,
      'a line is {"id": ..., "label": ...}, {"id": ..., "probabilities": ...} or {"id": ..., "missing": "refused"}',
    );
  }
}

function named({ probabilities, labels }: Line): ReadonlyMap<string, unknown> | null {
  if (probabilities === undefined) return null;
  if (!Array.isArray(probabilities)) return new Map(Object.entries(probabilities));
  return new Map(probabilities.map((value, column) => [labels?.[column] ?? `${column}`, value]));
}
