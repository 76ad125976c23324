import { type AuditPowerOptions, type MemberAudits, measureAuditPower } from './audit-power.ts';
import { remembered, type Sources } from './remember.ts';

/** What keyed scores depend on, besides their options; not what reads or weighs fingerprints. */
const sources: Sources = [
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
export function rememberedAudits(
  folder: string,
  options: AuditPowerOptions,
): Promise<MemberAudits> {
  const { plan, sizes, keys } = options;
  return remembered(folder, 'audits', { plan, sizes, keys }, sources, () =>
    measureAuditPower(options),
  );
}
