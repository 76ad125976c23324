import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
/** What figures depend on, besides their job. */
const folders = [
  ...['src/audit', 'src/models/search', 'src/models/training', 'src/stats'],
  ...['src/traps', 'src/watermark', 'scripts/trap-power', 'scripts/zoo', 'traps'],
  ...['scripts/demo/classifier', 'scripts/demo/traps'],
];

/** Returns the result of a job from an earlier run of the very same code, or else from `work`. */
export async function remembered<Result>(
  cache: string,
  job: object,
  work: () => Promise<Result>,
): Promise<Result> {
  const key = createHash('sha256').update(codeDigest()).update(JSON.stringify(job)).digest('hex');
  const path = join(cache, `outcome-${key}.json`);
  const known = await readFile(path, 'utf8').catch(() => undefined);
  if (known !== undefined) return JSON.parse(known) as Result;
  const result = await work();
  await writeFile(path, JSON.stringify(result));
  return result;
}

function codeDigest(): string {
  const hash = createHash('sha256');
  for (const folder of folders) {
    const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).sort();
    for (const name of names.filter((each) => /\.(ts|json)$/.test(each)))
      hash.update(`${folder}/${name}`).update(readFileSync(join(root, folder, name)));
  }
  return hash.digest('hex');
}
