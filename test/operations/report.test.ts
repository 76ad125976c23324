import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sampleReports } from '../../scripts/report-sample.ts';
import { renderRun } from '../../src/operations/report.ts';
import { renderJson } from '../../src/report/json.ts';
import { temporaryDirectory } from '../store/directory.ts';

function finishedRun(): { run: string; json: string } {
  const run = temporaryDirectory();
  const [sample] = sampleReports;
  const json = renderJson(sample!);
  writeFileSync(join(run, 'report.json'), json);
  return { run, json };
}

it('renders a finished run again, to the byte as JSON', async () => {
  const { run, json } = finishedRun();
  expect(await renderRun({ run, format: 'json' })).toBe(json);
  expect(await renderRun({ run, format: 'html' })).toMatch(/^<!doctype html>/);
  expect(await renderRun({ run, format: 'terminal' })).toContain('linguist-lite');
  expect(await renderRun({ run, format: 'junit' })).toMatch(/^<\?xml version="1.0"/);
});

it('writes to a new private file only', async () => {
  const { run } = finishedRun();
  const out = join(run, 'copy.html');
  const html = await renderRun({ run, format: 'html', out });
  expect(readFileSync(out, 'utf8')).toBe(html);
  expect(statSync(out).mode & 0o777).toBe(0o600);
  await expect(renderRun({ run, format: 'html', out })).rejects.toMatchObject({ code: 'USAGE' });
});

it('refuses a directory without a report, and a report that was edited', async () => {
  const { run, json } = finishedRun();
  await expect(renderRun({ run: join(run, 'x'), format: 'json' })).rejects.toMatchObject({
    code: 'USAGE',
    hint: expect.stringContaining('--resume'),
  });
  writeFileSync(join(run, 'report.json'), json.replace(/"score": [\d.]+/, '"score": 99'));
  await expect(renderRun({ run, format: 'json' })).rejects.toMatchObject({
    code: 'EVIDENCE_INVALID',
    exitCode: 5,
  });
});
