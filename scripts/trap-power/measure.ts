import type { RegionModels } from '../../src/audit/trap-search/region-models.ts';
import type { Input } from '../../src/contracts.ts';
import { measureStealth } from '../../src/models/training/stealth.ts';
import { clopperPearson } from '../../src/stats/bounds.ts';
import { referenceRank } from '../../src/stats/reference-ranks.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { type RegionTrapSet, regionStatistic } from '../../src/traps/kinds/region.ts';
import { decodeInput } from '../../src/traps/trap-set.ts';
import type { Scene } from '../zoo/scene.ts';
import type { ZooModel } from '../zoo/zoo-model.ts';
import { type Recalibration, recalibrate } from './recalibrate.ts';

/** What the lots of a set said of some models. */
export interface GroupOutcome {
  readonly group: string;
  readonly models: number;
  /** Models with p <= .05 when each is shown one lot, the lots in turn. */
  readonly accused: number;
  /** The 95% interval of Clopper and Pearson around `accused` / `models`. */
  readonly lower95: number;
  readonly upper95: number;
  /** Share of p <= .05 over all models and all lots. */
  readonly rate: number;
  /** Mean of log10 E, and of the bans that an audit counts, log10(1/2 + E/2). */
  readonly log10E: number;
  readonly bans: number;
  /** Mean share of traps on which they agree with the protected model. */
  readonly agreement: number;
}

/** What one set is worth. */
export interface SetOutcome {
  readonly scene: string;
  readonly source: string;
  readonly lots: number;
  readonly traps: number;
  /** References of each kind that calibrate. */
  readonly calibration: number;
  /** What the set says of itself. */
  readonly claimed: { readonly bansPerLot: number; readonly areaUnderCurve: number | null };
  /** Area under the curve against traffic that the search never saw. */
  readonly areaUnderCurve: number | null;
  /** The mean of the same for as many questions of the pool, taken at random. */
  readonly areaOfPool: number | null;
  /** Of the first lot. */
  readonly recalibration: Recalibration;
  readonly independents: readonly GroupOutcome[];
  readonly surrogates: readonly GroupOutcome[];
  /** All surrogates; every kind weighs alike, because of each there are as many. */
  readonly clones: GroupOutcome;
}

interface Verdict {
  readonly subject: ZooModel;
  /** Over the first lot. */
  readonly statistic: number;
  readonly lots: readonly { readonly p: number; readonly e: number }[];
  readonly agreement: number;
}

const level = 0.05;
const poolDraws = 5;

/** Audits every subject with every lot of a set, as `region-traps` would. */
export function measureSet(
  set: RegionTrapSet,
  scene: Scene,
  subjects: readonly ZooModel[],
  models: RegionModels,
): SetOutcome {
  const inputs = set.lots.flatMap(({ traps }) => traps.map(({ input }) => decodeInput(input)));
  const verdicts = subjects.map((subject): Verdict => {
    const labels = Array.from(subject.label(inputs), (label) =>
      label === undefined ? undefined : set.labels[label],
    );
    return { subject, ...judge(set, labels) };
  });
  const of = (group: string, chosen: (subject: ZooModel) => boolean) =>
    summarise(
      group,
      verdicts.filter(({ subject }) => chosen(subject)),
    );
  const kinds = [
    ...new Set(subjects.filter(({ truth }) => truth === 'surrogate').map(({ kind }) => kind)),
  ];
  const random = seededRandom('pool');
  const area = (traps: readonly Input[]) =>
    measureStealth(traps, scene.traffic.inputs, { features: models.features, seed: 'held out' })
      .areaUnderCurve;
  const areasOfPool = Array.from({ length: poolDraws }, () =>
    area(random.choose(scene.pool, Math.min(inputs.length, scene.pool.length))),
  );
  return {
    scene: scene.name,
    source: set.source,
    lots: set.lots.length,
    traps: inputs.length,
    calibration: set.lots[0]?.calibration.same.length ?? 0,
    claimed: {
      bansPerLot: set.expected.bansPerLot,
      areaUnderCurve: set.stealth.areaUnderCurve,
    },
    areaUnderCurve: area(inputs),
    areaOfPool: areasOfPool.includes(null)
      ? null
      : areasOfPool.reduce<number>((sum, each) => sum + (each ?? 0), 0) / poolDraws,
    recalibration: recalibrate(
      set.lots[0]!,
      models,
      subjects,
      verdicts.map(({ statistic }) => statistic),
    ),
    independents: independentGroups(subjects)
      .filter(([, chosen]) => subjects.some(chosen))
      .map(([group, chosen]) => of(group, chosen)),
    surrogates: kinds.map((kind) => of(kind, (subject) => isClone(subject, kind))),
    clones: of('all surrogates', ({ truth }) => truth === 'surrogate'),
  };
}

function isClone(subject: ZooModel, kind: string): boolean {
  return subject.truth === 'surrogate' && subject.kind === kind;
}

function independentGroups(
  subjects: readonly ZooModel[],
): (readonly [group: string, chosen: (subject: ZooModel) => boolean])[] {
  return (['same-data independent', 'other-data independent'] as const).flatMap((truth) => {
    const own = (subject: ZooModel) => subject.truth === truth;
    const families = [...new Set(subjects.filter(own).map(({ kind }) => kind))];
    return [
      [`${truth}s`, own] as const,
      [`${truth}s: families that references have`, (each: ZooModel) => own(each) && each.familiar],
      [`${truth}s: families that none has`, (each: ZooModel) => own(each) && !each.familiar],
      ...families.map(
        (kind) =>
          [`${truth}s: ${kind}`, (each: ZooModel) => own(each) && each.kind === kind] as const,
      ),
    ];
  });
}

function judge(
  { lots }: RegionTrapSet,
  labels: readonly (string | undefined)[],
): Omit<Verdict, 'subject'> {
  let from = 0;
  let agreed = 0;
  const verdicts = lots.map((lot) => {
    const answers = labels.slice(from, from + lot.traps.length);
    from += lot.traps.length;
    agreed += lot.traps.filter(({ label }, place) => answers[place] === label).length;
    const statistic = regionStatistic(lot, answers);
    const same = referenceRank(statistic, lot.calibration.same);
    const other = referenceRank(statistic, lot.calibration.other);
    return { p: Math.max(same.p, other.p), e: Math.min(same.e, other.e) };
  });
  const [first] = lots;
  return {
    statistic: regionStatistic(first!, labels.slice(0, first!.traps.length)),
    lots: verdicts,
    agreement: agreed / labels.length,
  };
}

function summarise(group: string, verdicts: readonly Verdict[]): GroupOutcome {
  const models = verdicts.length;
  const accused = verdicts.filter(
    ({ lots }, index) => lots[index % lots.length]!.p <= level,
  ).length;
  const all = verdicts.flatMap(({ lots }) => lots);
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const { lower, upper } = clopperPearson(accused, models, 0.95);
  return {
    ...{ group, models, accused, lower95: lower, upper95: upper },
    rate: mean(all.map(({ p }) => (p <= level ? 1 : 0))),
    log10E: mean(all.map(({ e }) => Math.log10(e))),
    bans: mean(all.map(({ e }) => Math.log10((1 + e) / 2))),
    agreement: mean(verdicts.map(({ agreement }) => agreement)),
  };
}
