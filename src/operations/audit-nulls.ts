import type { AuditMaterial } from '../audit/material.ts';
import type { Evidence } from '../contracts.ts';
import type { NullDistribution } from '../report/parts.ts';
import { regionStatistic } from '../traps/kinds/region.ts';
import type { LoggedAnswers } from './audit-answers.ts';

interface Facts {
  readonly material: Pick<AuditMaterial, 'regionLots'>;
  readonly answers: LoggedAnswers;
}

/**
 * Returns what chance would have given, for each test whose findings tell: fair coins for label coins
 * and per-query signs, signs that the key redraws for the smooth layer, reference models for region
 * traps. Those of fingerprints are drawn quirk by quirk.
 */
export function nullsOf(evidence: readonly Evidence[], facts: Facts): readonly NullDistribution[] {
  return evidence.flatMap((each) => {
    const { test, effect, log10P } = each;
    const common = { test, ...(log10P !== undefined && { log10P }) };
    switch (test) {
      case 'label-coins':
        return fairCoins({ ...common, trials: effect['coins'], observed: effect['hits'] });
      case 'probability-per-query':
        return fairCoins({
          ...common,
          trials: effect['signs'],
          observed: effect['agreeing'],
          statistic: 'signs that agree',
        });
      case 'probability-signs':
      case 'probability-signs-replay':
        return standardSigns({ ...common, observed: effect['z'] });
      case 'region-traps':
        return each.status === 'done' ? regionRanks(common, facts) : [];
      default:
        return [];
    }
  });
}

type Common = Pick<NullDistribution, 'test' | 'log10P' | 'statistic'>;

function fairCoins(
  found: Common & { trials: number | undefined; observed: number | undefined },
): NullDistribution[] {
  const { trials, observed, ...common } = found;
  if (trials === undefined || observed === undefined || trials === 0) return [];
  return [{ ...common, kind: 'keyed', shape: 'coin-binomial', trials, observed }];
}

/** Given the scores, a sum whose signs are redrawn has mean 0 and the scores' norm as deviation. */
function standardSigns(found: Common & { observed: number | undefined }): NullDistribution[] {
  const { observed, ...common } = found;
  return observed === undefined
    ? []
    : [{ ...common, kind: 'keyed', shape: 'standard-signs', observed }];
}

/** One distribution per set: its lots share their references and are added up. */
function regionRanks(
  common: Common,
  { material: { regionLots }, answers: { unserved } }: Facts,
): NullDistribution[] {
  return [...new Set(regionLots.map(({ set }) => set))].map((name) => {
    const lots = regionLots.filter(({ set }) => set === name);
    const observed = lots.reduce(
      (sum, { lot, probes }) =>
        sum +
        regionStatistic(
          lot,
          probes.map(({ id }) => unserved.get(id)?.label),
        ),
      0,
    );
    const draws = (['same', 'other'] as const).flatMap((kind) =>
      lots[0]!.lot.calibration[kind].map((_, reference) =>
        lots.reduce((sum, { lot }) => sum + lot.calibration[kind][reference]!, 0),
      ),
    );
    return {
      ...common,
      kind: 'reference' as const,
      shape: 'ranks' as const,
      statistic: 'weighted agreement on traps',
      draws,
      observed,
    };
  });
}
