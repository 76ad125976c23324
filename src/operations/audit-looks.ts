import { join } from 'node:path';
import { registerAudit, registeredAudits } from '../store/audit-register.ts';

/** Returns where looks at suspects are listed, in a project's directory. */
export function registerPath(directory: string): string {
  return join(directory, '.touchmark', 'audits.jsonl');
}

/**
 * Lists that a suspect was ranked among references, once for each fingerprint of it: its next audit
 * counts the same ranks, and pays for the look as for an audit. Returns how many looks there were.
 */
export async function noteRanking(
  directory: string,
  look: { readonly suspect: string; readonly ranked: string; readonly references: string },
  now: Date,
): Promise<number> {
  const path = registerPath(directory);
  const plan = `${look.references}/${look.ranked}`;
  const { suspect } = look;
  const earlier = (await registeredAudits(path)).filter((each) => each.suspect === suspect);
  if (earlier.some((each) => each.plan === plan)) return earlier.length;
  await registerAudit(path, { sealedAt: now.toISOString(), suspect, tenant: 'none', plan });
  return earlier.length + 1;
}
