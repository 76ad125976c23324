import type { Progress } from '../../../src/contracts.ts';
import { type Row, row } from '../tally.ts';
import { controlCase, fixedKeyCases, fixedKeys, type TextSizes, textJobs } from './plan.ts';
import { shareWork } from './share-work.ts';
import { controlName, fixedKeyName } from './trials.ts';

/** How texts of many places fare under keys that stay the same. */
export interface FixedKeyRates {
  readonly name: string;
  /** One rate for each key; its `nominal` is the most that is allowed. */
  readonly rows: readonly Row[];
}

export interface TextCalibration {
  /** Rates over random keys. */
  readonly rows: readonly Row[];
  readonly fixedKeys: readonly FixedKeyRates[];
  /** Detection that is broken on purpose: its rates must be too high. */
  readonly control: readonly Row[];
}

/** Texts of different places share words all the same, and a fixed key meets those again. */
const fixedKeyAllowance = 2;

/**
 * Counts false alarms of the text mark: every scheme and function on null texts under random keys
 * and under fixed ones, sets of texts, the text tests of an audit, and the naming of tenants.
 */
export async function calibrateText(
  sizes: TextSizes,
  processes: number,
  progress: Progress,
): Promise<TextCalibration> {
  const jobs = textJobs(sizes);
  let done = 0;
  const counts = await shareWork(jobs, processes, ({ task }) => {
    done++;
    progress(`nulls of the text mark: ${task}`, done, jobs.length);
  });
  const rows = Object.entries(counts).map(([name, { nominal, hits, trials }]) =>
    row(name, nominal, hits, trials),
  );
  const isControl = ({ name }: Row): boolean => name.startsWith(controlName(controlCase.name));
  const ofFixedKeys = fixedKeyCases.map(({ name }) => {
    const names = new Set(Array.from({ length: fixedKeys }, (_, key) => fixedKeyName(name, key)));
    return { name, rows: rows.filter((each) => names.has(each.name)).map(allowance) };
  });
  const apart = new Set(ofFixedKeys.flatMap((each) => each.rows.map(({ name }) => name)));
  return {
    rows: rows.filter((each) => !isControl(each) && !apart.has(each.name)),
    fixedKeys: ofFixedKeys,
    control: rows.filter(isControl),
  };
}

function allowance(each: Row): Row {
  return { ...each, nominal: fixedKeyAllowance * each.nominal };
}
