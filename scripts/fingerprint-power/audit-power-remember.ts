import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AuditPowerOptions, type MemberAudits, measureAuditPower } from './audit-power.ts';

const root = join(import.meta.dirname, '../..');
/** What keyed scores depend on, besides their options; not what reads or weighs fingerprints. */
const sources: readonly (readonly [folder: string, names: RegExp])[] = [
  ['src/audit/tests', /^(label-coins|learned-gains|question-queue)\.ts$/],
  ['src/keys', /\.ts$/],
  ['src/models/training', /\.ts$/],
  ['src/stats', /^(coin-betting|log-space|merging|sampling|sign-betting)\.ts$/],
  ['src/watermark', /^(classifier-.*|label\/.*|probability\/.*)\.ts$/],
  ['scripts/zoo', /\.ts$/],
  ['scripts/fingerprint-power', /^audit-power(-reading)?\.ts$/],
];

/**
 * As `measureAuditPower`, unless an earlier run of the very same code left its result in the folder.
 * Weights of quirks and what summarises the scores may change: the result does not depend on them.
 */
export async function rememberedAudits(
  folder: string,
  options: AuditPowerOptions,
): Promise<MemberAudits> {
  const path = join(folder, auditsFile(options));
  const known = await readFile(path, 'utf8').catch(() => undefined);
  if (known !== undefined) return JSON.parse(known) as MemberAudits;
  const audits = await measureAuditPower(options);
  await mkdir(folder, { recursive: true });
  await writeFile(path, JSON.stringify(audits));
  return audits;
}

/** Returns the name of the file that keeps the audits of one member. */
export function auditsFile({
  plan,
  sizes,
  keys,
}: Pick<AuditPowerOptions, 'plan' | 'sizes' | 'keys'>): string {
  const hash = createHash('sha256').update(JSON.stringify({ plan, sizes, keys }));
  for (const [folder, pattern] of sources) {
    const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => pattern.test(name))
      .sort();
    for (const name of names)
      hash.update(`${folder}/${name}`).update(readFileSync(join(root, folder, name)));
  }
  return `audits-${plan.task}-${plan.number}-${hash.digest('hex').slice(0, 16)}.json`;
}
