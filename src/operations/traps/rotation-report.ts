import { TouchmarkError } from '../../errors.ts';
import type { TrapTarget } from '../../traps/stock.ts';

/** The stock of one target after a rotation. */
export interface StockRow extends TrapTarget {
  /** Traps that were never shown to anybody. */
  readonly active: number;
  readonly target: number;
  readonly built: number;
  /** Why there are fewer than the target; null when there are not. */
  readonly why: string | null;
}

/** What a rotation did, in plain data. */
export interface RotationReport {
  /** The calendar day in `timezone`. */
  readonly period: string;
  readonly timezone: string;
  /** "incomplete" when a source failed: the next call tries again. */
  readonly status: 'rotated' | 'already-rotated' | 'incomplete';
  /** Traps sealed. */
  readonly built: number;
  /** Lots retired. */
  readonly retired: number;
  readonly stock: readonly StockRow[];
  /** For each kind with fewer traps than wanted, what is missing and what to do. */
  readonly reasons: readonly string[];
  /** Files that are not as they should be, sources that failed. */
  readonly problems: readonly string[];
}

/** A report, and the errors that the command is to end with; the report was made all the same. */
export interface Rotation {
  readonly report: RotationReport;
  readonly failures: readonly TouchmarkError[];
}

/** Says for a target why it has too few traps; nothing when it has enough. */
export function reasonOf({ kind, tenant, epoch, why }: StockRow): string[] {
  if (why === null) return [];
  const whose = tenant === null ? '' : ` of ${[tenant, epoch].filter(Boolean).join(' ')}`;
  return [`${kind} traps${whose}: ${why}`];
}

/** Returns the error that a rotation ends with which found damaged files. */
export function damageError(problems: readonly TouchmarkError[]): TouchmarkError {
  const list = problems.map(({ message }) => message).join('\n');
  return new TouchmarkError('STORE_DAMAGED', list, {
    hint: 'These sets were retired, with what was left of them, and their files were left where they are. Rotation builds others.',
  });
}
