/** Measures what the log's modes cost in evidence: the same suspects, audited with what each mode keeps. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import yargs from 'yargs';
import { computeMaterial, openAudit } from '../../src/operations/audit-preparation.ts';
import { keptPayloads, type LogMode } from '../../src/serve/kept-payloads.ts';
import { tenant } from '../demo/classifier/owner.ts';
import { auditServed, withStolenModel } from '../demo/classifier/run.ts';
import { stderrProgress } from '../progress.ts';

const modes: readonly LogMode[] = ['all', 'eligible', 'commitments'];
const audited = ['soft-network', 'label-perceptron', 'cld3'];

const { seed, share, json } = await yargs(process.argv.slice(2))
  .scriptName('npm run log-modes --')
  .option('seed', { type: 'string', default: '1', describe: 'Seed of the data, keys and models' })
  .option('share', { type: 'number', default: 0.1, describe: 'log.sampleShare of `eligible`' })
  .option('json', { type: 'boolean', default: false, describe: 'Print one JSON document' })
  .strict()
  .parseAsync();

interface Row {
  readonly mode: LogMode;
  readonly records: number;
  readonly suspect: string;
  readonly score: number;
  readonly tests: Readonly<Record<string, number>>;
}

const out = await mkdtemp(join(tmpdir(), 'touchmark-log-modes-'));
const progress = stderrProgress();
try {
  const options = { seed, out, progress };
  const rows = await withStolenModel(options, async (stolen) => {
    const { configPath } = stolen.owner;
    const { signal } = stolen;
    const opened = await openAudit({ configPath, tenant, signal, progress });
    const suspects = [...stolen.suspects.attacker, ...stolen.suspects.thirdParties].filter(
      ({ name }) => audited.includes(name),
    );
    const found: Row[] = [];
    for (const mode of modes) {
      const keeps = keptPayloads({ mode, sampleShare: share, keys: () => opened.keyRing });
      const records = opened.records.filter(keeps);
      const withheld = opened.records.length - records.length;
      const prepared = await computeMaterial(
        { ...opened, records, withheld },
        { configPath, tenant, signal, progress },
      );
      for (const suspect of suspects) {
        const named = { ...options, out: join(out, mode) };
        const { score, evidence, name } = await auditServed(prepared, suspect, stolen, named);
        const tests = Object.fromEntries(evidence.map(({ test, log10E }) => [test, log10E]));
        found.push({ mode, records: records.length, suspect: name, score, tests });
      }
    }
    return found;
  });
  process.stdout.write(json ? `${JSON.stringify(rows, null, 2)}\n` : table(rows));
} finally {
  await rm(out, { recursive: true, force: true });
}

/** A table in Markdown: scores in bans, a column for each suspect. */
function table(rows: readonly Row[]): string {
  const names = audited.filter((name) => rows.some(({ suspect }) => suspect === name));
  const lines = modes.map((mode) => {
    const of = rows.filter((row) => row.mode === mode);
    const scores = names.map((name) =>
      of.find(({ suspect }) => suspect === name)!.score.toFixed(1),
    );
    return `| \`${mode}\` | ${of[0]!.records} | ${scores.join(' | ')} |`;
  });
  const head = ['log.keeps', 'records kept', ...names];
  return `| ${head.join(' | ')} |\n|${head.map(() => '---|').join('')}\n${lines.join('\n')}\n`;
}
