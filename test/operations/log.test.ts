import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openServingLog } from '../../src/ledger/serving-log.ts';
import { exportLog, pruneLog, verifyLog } from '../../src/operations/log.ts';
import { openProject } from '../../src/operations/project.ts';
import { recordOf, textOf } from '../ledger/records-data.ts';
import { tinyProject } from './tiny-project.ts';

const now = new Date('2026-04-10T00:00:00.000Z');

async function projectWithLog() {
  const { configPath, directory } = await tinyProject();
  const log = (await openProject({ configPath })).config.log.directory;
  for (const day of ['2026-04-01', '2026-04-05']) {
    const serving = await openServingLog(log, { clock: () => new Date(`${day}T12:00:00.000Z`) });
    await serving.append([recordOf(1, 'example'), textOf(2, 'example')]);
    await serving.close();
  }
  return { configPath, directory, log };
}

describe('the commands of the log', () => {
  it('export records and texts in served order', async () => {
    const { configPath, directory } = await projectWithLog();
    const out = join(directory, 'example.jsonl');
    expect(await exportLog({ configPath, tenant: 'example', out })).toEqual({
      file: out,
      records: 4,
    });
    const lines = readFileSync(out, 'utf8').split('\n').slice(0, 2);
    const [record, text] = lines.map((line) => JSON.parse(line));
    expect(record).toEqual({
      schema: 'touchmark/exported-record@1',
      sequence: 0,
      ...recordOf(1, 'example'),
    });
    expect(text).toEqual({
      schema: 'touchmark/exported-text@1',
      sequence: 1,
      ...textOf(2, 'example'),
    });
  });

  it('delete what is older than a date, or than log.retentionDays', async () => {
    const { configPath, log } = await projectWithLog();
    await expect(pruneLog({ configPath, now })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    for (const before of ['2026-04-11', 'yesterday', '2026-02-31']) {
      await expect(pruneLog({ configPath, now, before })).rejects.toMatchObject({ code: 'USAGE' });
    }
    expect(await pruneLog({ configPath, now, before: '2026-04-02' })).toEqual({
      directory: log,
      before: '2026-04-02T00:00:00.000Z',
      records: 2,
      segments: 1,
      through: 1,
    });
    const text = readFileSync(configPath, 'utf8');
    writeFileSync(configPath, text.replace(/^log:$/m, 'log:\n  retentionDays: 3'));
    expect(await pruneLog({ configPath, now })).toMatchObject({ records: 2, segments: 1 });
    expect(await verifyLog({ configPath })).toMatchObject({
      valid: true,
      records: 4,
      expired: { records: 4, through: 3 },
    });
  });
});
