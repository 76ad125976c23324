import { eventTime } from '../../traps/rotation.ts';
import type { Project } from '../project.ts';
import { type StockWriter, withStock } from './stock-writer.ts';

/** An audit has prepared for minutes when it waits, and a rotation that builds may take as long. */
const auditPatienceMilliseconds = 300_000;

/**
 * Notes that an audit without coin traps is about to show a suspect the logged questions of an epoch
 * up to record `through`: they can be no coin traps any more, and lots that hold any are retired.
 * Waits for a rotation under way, for five minutes at most. Ask nothing before it resolves.
 *
 * @throws TouchmarkError STORE_LOCKED naming the process that writes; STORE_FULL or STORE_DAMAGED
 */
export async function noteRecordsExposed(
  project: Pick<Project, 'directory'>,
  exposed: {
    readonly tenant: string;
    readonly epoch: string;
    readonly through: number;
    readonly suspect: string;
    readonly audit: string;
    readonly now: Date;
  },
): Promise<void> {
  const { now, ...rest } = exposed;
  const note = async (writer: StockWriter) => {
    const stock = await writer.stock();
    const at = eventTime(stock, now);
    const shown = stock.sets.filter(
      ({ sealed, lots }) =>
        sealed.tenant === rest.tenant &&
        sealed.epoch === rest.epoch &&
        (sealed.records?.from ?? Number.POSITIVE_INFINITY) <= rest.through &&
        lots.some(({ state }) => state === 'active'),
    );
    await writer.append([
      { event: 'records-exposed', at, ...rest },
      ...shown.map(({ sealed }) => ({
        event: 'retired' as const,
        at,
        set: sealed.set,
        lot: null,
        why: 'exposed' as const,
      })),
    ]);
  };
  await withStock(project, now, note, auditPatienceMilliseconds);
}
