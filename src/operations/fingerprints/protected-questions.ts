import type { Input } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import { inputDigest } from '../../keys/canonical-input.ts';
import { scanServingLog } from '../../ledger/scan-log.ts';
import { pathExists, readInputFile } from '../../store/project-files.ts';
import type { Project } from '../project.ts';

/** Fewer questions show no quirk. */
const fewestQuestions = 50;

/**
 * Returns the owner's questions for fingerprints that nobody was served and no other file of inputs has.
 *
 * @throws TouchmarkError INPUT_INVALID for too few of them
 */
export async function readQuestions({ config }: Project): Promise<Input[]> {
  const { inputs, log } = config;
  const used = new Set<string>();
  for (const path of [inputs.twin, inputs.fresh, inputs.traps]) {
    const others = (await pathExists(path)) ? await readInputFile(path) : [];
    for (const input of others) used.add(digestOf(input));
  }
  await scanServingLog(log.directory, ({ input }) => {
    used.add(digestOf(input));
  });
  const all = (await pathExists(inputs.fingerprint)) ? await readInputFile(inputs.fingerprint) : [];
  const questions = all.filter((input) => !used.has(digestOf(input)));
  if (questions.length >= fewestQuestions) return questions;
  const left =
    all.length > questions.length
      ? `, ${all.length - questions.length} more were served or are in another file of inputs`
      : '';
  throw new TouchmarkError(
    'INPUT_INVALID',
    `${inputs.fingerprint} has ${questions.length} questions that can be asked${left}.`,
    {
      hint: `Put ${fewestQuestions} or more of your own there, like your traffic, better a thousand; one per line.`,
    },
  );
}

function digestOf(input: Input): string {
  return inputDigest(input).toString('hex');
}
