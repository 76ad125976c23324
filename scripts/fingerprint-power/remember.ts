import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MemberPlan } from '../zoo/manifest.ts';

/** Files that a result depends on, by folder of the repository. */
export type Sources = readonly (readonly [folder: string, names: RegExp])[];

const root = join(import.meta.dirname, '../..');

/** Returns what an earlier run of the very same code left in a folder, or else the result of `work`. */
export async function remembered<Result, Job extends { readonly plan: MemberPlan }>(
  folder: string,
  name: string,
  job: Job,
  sources: Sources,
  work: () => Promise<Result>,
): Promise<Result> {
  const path = join(folder, resultFile(name, job, sources));
  const known = await readFile(path, 'utf8').catch(() => undefined);
  if (known !== undefined) return JSON.parse(known) as Result;
  const result = await work();
  await mkdir(folder, { recursive: true });
  await writeFile(`${path}.part`, JSON.stringify(result));
  await rename(`${path}.part`, path);
  return result;
}

/** Returns the name of the file that keeps a result of the code as it is now. */
export function resultFile<Job extends { readonly plan: MemberPlan }>(
  name: string,
  job: Job,
  sources: Sources,
): string {
  const hash = createHash('sha256').update(JSON.stringify(job));
  for (const [folder, pattern] of sources) {
    const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
    for (const file of names.filter((each) => pattern.test(each)).sort())
      hash.update(`${folder}/${file}`).update(readFileSync(join(root, folder, file)));
  }
  const { task, number } = job.plan;
  return `${name}-${task}-${number}-${hash.digest('hex').slice(0, 16)}.json`;
}
