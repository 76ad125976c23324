import type { Progress } from '../../contracts.ts';
import { TouchmarkError } from '../../errors.ts';
import type { KeyRing } from '../../store/key-ring.ts';
import { checkClock } from '../../traps/rotation.ts';
import { activeTraps, type TrapTarget } from '../../traps/stock.ts';
import { openProject, openProjectRing, type ProjectOptions } from '../project.ts';
import { buildInto, conspicuous } from './build-into.ts';
import { inspectSets } from './inspect.ts';
import type { QuestionSource } from './source.ts';
import { trapSources } from './sources.ts';
import { listSetFiles, requireCurrentLedger } from './stock.ts';
import { withStock } from './stock-writer.ts';

export interface BuildOptions extends ProjectOptions {
  readonly kind: TrapTarget['kind'];
  /** For coin traps; the only tenant of the configuration by default. */
  readonly tenant?: string;
  /** For coin traps; the tenant's current one by default. */
  readonly epoch?: string;
  /** For region traps; left to the builder by default. */
  readonly questions?: QuestionSource;
  /** How many traps; what the stock lacks by default. */
  readonly count?: number;
  readonly now: Date;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** What was built, in plain data. */
export interface BuildReport extends TrapTarget {
  /** Traps sealed. */
  readonly built: number;
  readonly sets: readonly string[];
  /** Traps that were never shown to anybody, old and new. */
  readonly active: number;
  /** Why there are fewer than asked for; null when there are not. */
  readonly why: string | null;
  /** What else the operator should know. */
  readonly notices: readonly string[];
}

/**
 * Builds traps of one kind now, whatever rotation did, and seals them.
 *
 * @throws TouchmarkError as `rotateTraps`, and as the source of traps does
 */
export async function buildTraps(options: BuildOptions): Promise<BuildReport> {
  const { now, signal, progress, questions, count = 1 } = options;
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new TouchmarkError('USAGE', `${count} traps cannot be built.`, {
      hint: 'Give --count a whole number of at least 1, or leave it out to fill the stock.',
    });
  }
  const project = await openProject(options);
  const keyRing = await openProjectRing(project);
  const { coinStock, regionStock } = project.config.traps;
  const tenants = project.config.tenants.map(({ id }) => id);
  const target = targetOf(options, keyRing, tenants);
  return withStock(project, now, async (writer) => {
    const files = await listSetFiles(writer.folders);
    const before = await writer.stock();
    const notices = await requireCurrentLedger(writer.folders, keyRing, files, before);
    checkClock(before, now);
    await inspectSets(writer.folders, keyRing, before);
    const stocked = activeTraps(before, target);
    const wanted = options.count ?? (target.kind === 'coin' ? coinStock : regionStock) - stocked;
    if (wanted <= 0) {
      const why = 'The stock has what it should have; --count builds more.';
      return { ...target, built: 0, sets: [], active: stocked, why, notices };
    }
    const sets: string[] = [];
    let built = 0;
    const request = { project, keyRing, target, wanted, stock: before, now, signal, progress };
    const why = await buildInto(
      writer,
      { ...request, ...(questions && { questions }), sources: trapSources },
      (traps, set) => {
        built += traps;
        sets.push(set.seal.id);
        notices.push(...[conspicuous(set)].filter((notice) => notice !== undefined));
      },
    );
    return { ...target, built, sets, active: stocked + built, why: why ?? null, notices };
  });
}

function targetOf(options: BuildOptions, keyRing: KeyRing, tenants: readonly string[]): TrapTarget {
  const { kind, tenant = tenants.length === 1 ? tenants[0] : undefined } = options;
  if (kind === 'region') {
    if (options.tenant === undefined && options.epoch === undefined) {
      return { kind, tenant: null, epoch: null };
    }
    throw new TouchmarkError('USAGE', 'Region traps belong to no tenant.', {
      hint: 'Leave out --tenant and --epoch.',
    });
  }
  if (options.questions !== undefined) {
    throw new TouchmarkError('USAGE', 'Coin traps always come from the serving log.', {
      hint: 'Leave out --source.',
    });
  }
  if (tenant === undefined) {
    throw new TouchmarkError('USAGE', 'Coin traps are for one tenant.', {
      hint: `Say which with --tenant. The configuration has: ${tenants.join(', ') || 'none'}.`,
    });
  }
  const epoch = options.epoch ?? keyRing.currentEpoch(tenant).epoch;
  keyRing.commitment(tenant, epoch);
  return { kind, tenant, epoch };
}
