import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AuditPowerOptions, type MemberAudits, measureAuditPower } from './audit-power.ts';

const root = join(import.meta.dirname, '../..');
/** What keyed scores depend on, besides their options. */
const folders = [
  ...['src/audit/tests', 'src/keys', 'src/models/training', 'src/stats', 'src/watermark'],
  ...['scripts/zoo', 'scripts/fingerprint-power'],
];
const ownFiles = /^audit-power(-reading)?\.ts$/;

/**
 * As `measureAuditPower`, unless an earlier run of the very same code left its result in the folder.
 * Weights of quirks and what summarises the scores may change: the result does not depend on them.
 */
export async function rememberedAudits(
  folder: string,
  options: AuditPowerOptions,
): Promise<MemberAudits> {
  const { plan, sizes, keys } = options;
  const digest = createHash('sha256')
    .update(codeDigest())
    .update(JSON.stringify({ plan, sizes, keys }))
    .digest('hex');
  const path = join(folder, `audits-${plan.task}-${plan.number}-${digest.slice(0, 16)}.json`);
  const known = await readFile(path, 'utf8').catch(() => undefined);
  if (known !== undefined) return JSON.parse(known) as MemberAudits;
  const audits = await measureAuditPower(options);
  await mkdir(folder, { recursive: true });
  await writeFile(path, JSON.stringify(audits));
  return audits;
}

function codeDigest(): string {
  const hash = createHash('sha256');
  for (const folder of folders) {
    const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .filter((name) => folder !== 'scripts/fingerprint-power' || ownFiles.test(name))
      .sort();
    for (const name of names)
      hash.update(`${folder}/${name}`).update(readFileSync(join(root, folder, name)));
  }
  return hash.digest('hex');
}
