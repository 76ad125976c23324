import type { LabelledQuestion } from '../audit/reference-pool.ts';
import type { Config } from '../config/schema.ts';
import { readLabelledFile } from '../store/labelled-file.ts';
import { pathExists } from '../store/project-files.ts';

/** Fewer teach references nothing that an independent model would know. */
const fewestExamples = 100;

/** The owner's labelled data, from which reference models learn. */
export interface LabelledData {
  readonly sameData: readonly LabelledQuestion[];
  readonly otherData: readonly LabelledQuestion[];
}

/** Reads the owner's labelled data; says what is missing. */
export async function readLabelledData({
  inputs,
}: Pick<Config, 'inputs'>): Promise<LabelledData | { readonly why: string }> {
  const data: LabelledQuestion[][] = [];
  for (const [setting, path, what] of [
    ['inputs.sameData', inputs.sameData, "the protected model's training data"],
    ['inputs.otherData', inputs.otherData, 'labelled data that the protected model never saw'],
  ] as const) {
    if (path === undefined || !(await pathExists(path))) {
      const where = path === undefined ? 'is not set' : `names ${path}, which does not exist`;
      return { why: `${setting} ${where}. Reference models learn from ${what}.` };
    }
    const examples = await readLabelledFile(path);
    const classes = new Set(examples.map(({ label }) => label));
    if (examples.length < fewestExamples || classes.size < 2) {
      return {
        why: `${path} has ${examples.length} examples of ${classes.size} labels. Reference models need at least ${fewestExamples} of two.`,
      };
    }
    data.push(examples);
  }
  const [sameData, otherData] = data as [LabelledQuestion[], LabelledQuestion[]];
  return { sameData, otherData };
}
