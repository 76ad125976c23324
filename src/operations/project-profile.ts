import type { Classifier, Progress } from '../contracts.ts';
import { TouchmarkError } from '../errors.ts';
import { sealProfile } from '../serve/profile-sealing.ts';
import { writeProfile } from '../store/profile-file.ts';
import { readInputFile } from '../store/project-files.ts';
import type { ClassifierProfile } from '../watermark/classifier-profile.ts';
import type { Project } from './project.ts';

/** With fewer questions the strength of the mark is a guess. */
export const questionsWanted = 1400;

/**
 * Measures a project's watermark on its own questions, seals it in its profile file, and returns it.
 *
 * @throws TouchmarkError INPUT_INVALID for tensors without any inputs; errors of the model
 */
export async function sealProjectProfile(
  { config, profilePath }: Project,
  options: {
    readonly classifier: Classifier;
    readonly labels: readonly string[];
    readonly signal: AbortSignal;
    readonly progress?: Progress;
    readonly onNotice?: (text: string) => void;
  },
): Promise<ClassifierProfile> {
  const { onNotice, ...asked } = options;
  const { twin, fresh } = config.inputs;
  const inputs = await readInputFile(twin);
  if (inputs.length === 0 && config.model.input !== 'text') {
    throw new TouchmarkError('INPUT_INVALID', `${twin} holds no inputs.`, {
      hint: 'A watermark on tensors is measured on some: put at least a hundred there (.jsonl).',
    });
  }
  if (inputs.length < questionsWanted) {
    onNotice?.(
      `${twin} holds ${inputs.length} questions: with fewer than ${questionsWanted} the strength of the watermark is a guess. It is sealed now and stays.`,
    );
  }
  const freshInputs = await readInputFile(fresh);
  const profile = await sealProfile({ ...asked, inputs, freshInputs, targets: config.watermark });
  await writeProfile(profilePath, profile);
  return profile;
}
