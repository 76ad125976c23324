/** Appends records without end to the log named first; prints the sequences once acknowledged. */
import { writeSync } from 'node:fs';
import { openServingLog } from '../../src/ledger/serving-log.ts';
import { recordOf } from './records-data.ts';

// Past a limit on file sizes a write shall fail, as on a full disk, and not end the process.
process.on('SIGXFSZ', () => undefined);

const [directory = ''] = process.argv.slice(2);
const log = await openServingLog(directory, { checkpointEvery: 64, segmentRecords: 200 });
writeSync(1, 'open\n');
let number = 0;
async function client(tenant: string): Promise<never> {
  for (;;) {
    const records = [recordOf(number, tenant), recordOf(number + 1, tenant)];
    number += records.length;
    const sequences = await log.append(records);
    writeSync(1, sequences.map((sequence) => `${sequence} ${tenant}\n`).join(''));
  }
}
try {
  await Promise.all(['acme', 'bolt', 'acme'].map(client));
} catch (error) {
  writeSync(1, `failed ${error instanceof Error && 'code' in error ? error.code : error}\n`);
  await log.close().catch((cause: Error) => writeSync(1, `close: ${cause.message}\n`));
}
