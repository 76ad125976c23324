import type { Progress } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import type { KeyRing } from '../../store/key-ring.ts';
import { checkClock, isRotated, periodOf, retirementsDue } from '../../traps/rotation.ts';
import { activeTraps, type TrapStock } from '../../traps/stock.ts';
import type { Project } from '../project.ts';
import { buildInto, conspicuous } from './build-into.ts';
import { erasedSets, estrangedSets, inspectSets, type LogFacts, readLogFacts } from './inspect.ts';
import {
  damageError,
  type Rotation,
  type RotationReport,
  reasonOf,
  type StockRow,
} from './rotation-report.ts';
import type { TrapSource } from './source.ts';
import { listSetFiles, requireCurrentLedger } from './stock.ts';
import { StockWriter, unknownSet } from './stock-writer.ts';
import { type StockTarget, stockTargets } from './targets.ts';

export interface RotateOptions {
  readonly project: Project;
  readonly keyRing: KeyRing;
  readonly sources: readonly TrapSource[];
  readonly now: Date;
  /** Sets that others may know; they are retired even when the period is complete. */
  readonly leaked?: readonly string[];
  /** Vouches for the clock, however far it is from the ledger's last event. */
  readonly trustClock?: boolean;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/**
 * Retires what is due and builds what is missing, under one lock. Idempotent for each calendar day:
 * its last event says that the day is done, so a call after a crash goes on where it stopped, and
 * one after that has nothing to do. A source that fails keeps nobody else from being served.
 *
 * @throws TouchmarkError STORE_LOCKED, CLOCK_DOUBTFUL, LOG_INVALID when the trap ledger is not the
 *   newest one, KEY_RING_INVALID when the ring is another owner's, USAGE for a set that does not
 *   exist, INTERRUPTED; what was sealed before stays
 */
export async function rotateTraps(options: RotateOptions): Promise<Rotation> {
  const writer = await StockWriter.open(options.project, options.now);
  try {
    return await rotateWith(writer, options);
  } finally {
    await writer.close();
  }
}

async function rotateWith(writer: StockWriter, options: RotateOptions): Promise<Rotation> {
  const { project, keyRing, now, leaked = [] } = options;
  const { timezone, maximumAgeDays } = project.config.traps;
  const files = await listSetFiles(writer.folders);
  let stock = await writer.stock();
  const notices = await requireCurrentLedger(writer.folders, keyRing, files, stock);
  if (options.trustClock) {
    await writer.append([{ event: 'clock-trusted', at: now.toISOString() }]);
    stock = await writer.stock();
  } else checkClock(stock, now);
  const period = periodOf(now, timezone);
  const hasLeaked = hasActive(stock, leaked);
  const { intact, damaged } = await inspectSets(writer.folders, keyRing, stock);
  if (isRotated(stock, period) && !hasLeaked && damaged.size === 0) {
    const rows = knownRows(stock, options);
    const report = { period, timezone, status: 'already-rotated' as const, built: 0, retired: 0 };
    const reasons = [
      `The rotation of ${period} is complete; \`touchmark traps build\` adds more now.`,
    ];
    return { report: { ...report, stock: rows, reasons, problems: notices }, failures: [] };
  }

  const blocking: TouchmarkError[] = [];
  const facts = await factsOf(project, intact, blocking);
  const retirements = retirementsDue(stock, now, {
    leakedSets: new Set(leaked),
    leakedLots: facts?.leakedLots ?? new Set(),
    damaged: new Set(damaged.keys()),
    erased: facts === undefined ? new Set() : erasedSets(stock, facts),
    maximumAgeDays,
  });
  await writer.append(retirements.map(({ event }) => event));
  const rows: StockRow[] = [];
  for (const target of stockTargets(project, keyRing, facts)) {
    rows.push(await fill(writer, target, options, blocking, notices));
  }
  const built = rows.reduce((sum, row) => sum + row.built, 0);
  const retired = retirements.reduce((sum, { lots }) => sum + lots, 0);
  const isComplete = blocking.length === 0;
  if (isComplete) {
    const at = now.toISOString();
    await writer.append([{ event: 'rotated', at, period, built, retired }]);
  }
  const damage = damaged.size > 0 ? [damageError([...damaged.values()])] : [];
  const failures = [...damage, ...blocking];
  const report: RotationReport = {
    period,
    timezone,
    status: isComplete ? 'rotated' : 'incomplete',
    built,
    retired,
    stock: rows,
    reasons: [...new Set(rows.flatMap(reasonOf))],
    problems: [
      ...notices,
      ...(facts === undefined ? [] : estrangedSets(stock, facts)).map(
        (set) => `The serving log does not hold the records of ${set}: it is another log.`,
      ),
      ...failures.flatMap(({ message }) => message.split('\n')),
    ],
  };
  return { report, failures };
}

/** Builds what one target lacks; a source that fails is noted and keeps nobody else waiting. */
async function fill(
  writer: StockWriter,
  { wanted, why, ...target }: StockTarget,
  options: RotateOptions,
  blocking: TouchmarkError[],
  notices: string[],
): Promise<StockRow> {
  const stock = await writer.stock();
  const before = activeTraps(stock, target);
  const row = (built: number, reason: string | undefined): StockRow => {
    const active = before + built;
    const shortOf = active < wanted ? (reason ?? null) : null;
    return { ...target, active, target: wanted, built, why: shortOf };
  };
  if (before >= wanted || why !== undefined) return row(0, why);
  let built = 0;
  try {
    const missing = { ...options, target, stock, wanted: wanted - before };
    const rest = await buildInto(writer, missing, (traps, set) => {
      built += traps;
      notices.push(...[conspicuous(set)].filter((notice) => notice !== undefined));
    });
    return row(built, rest);
  } catch (cause) {
    options.signal.throwIfAborted();
    if (!TouchmarkError.isInstance(cause)) throw cause;
    blocking.push(cause);
    return row(built, `${cause.message} ${cause.hint}`.trimEnd());
  }
}

async function factsOf(
  { config }: Project,
  intact: Parameters<typeof readLogFacts>[1],
  failures: TouchmarkError[],
): Promise<LogFacts | undefined> {
  try {
    return await readLogFacts(config.log.directory, intact);
  } catch (cause) {
    if (!TouchmarkError.isInstance(cause)) throw cause;
    failures.push(cause);
    return undefined;
  }
}

/** @throws TouchmarkError USAGE for a name that no set has */
function hasActive({ sets }: TrapStock, names: readonly string[]): boolean {
  const named = names.map((name) => {
    const found = sets.find(({ sealed }) => sealed.set === name);
    if (found === undefined) throw unknownSet(name);
    return found;
  });
  return named.some(({ lots }) => lots.some(({ state }) => state === 'active'));
}

function knownRows(stock: TrapStock, { project }: RotateOptions): StockRow[] {
  const { coinStock, regionStock } = project.config.traps;
  const known = new Map<string, StockRow>();
  for (const { sealed } of stock.sets) {
    const target = { kind: sealed.kind, tenant: sealed.tenant, epoch: sealed.epoch };
    const wanted = sealed.kind === 'coin' ? coinStock : regionStock;
    const active = activeTraps(stock, target);
    known.set(JSON.stringify(target), { ...target, active, target: wanted, built: 0, why: null });
  }
  return [...known.values()];
}
