import { cpSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { auditSuspect, prepareAudit } from '../../src/operations/audit.ts';
import { createScene, lookUpThief, serve } from '../../test/operations/audit-scene.ts';
import { comparable } from './compare.ts';

/** What became of audits whose run log was cut off and that were resumed. */
export interface CutSummary {
  readonly cuts: number;
  /** Reports that differ from the uninterrupted one in more than times and costs. */
  readonly different: number;
  /** Audits that asked other questions than those whose lines were cut. */
  readonly askedOtherwise: number;
  /** Run logs that do not begin with the whole lines that were left. */
  readonly rewritten: number;
}

/**
 * Cuts the run log of one finished audit within its last two lines, resumes the whole audit after
 * each cut, and compares.
 *
 * @param step bytes from one cut to the next: 1 tries them all
 * @param onCut hears how many of how many bytes are behind
 */
export async function cutAndResume(
  step: number,
  onCut: (done: number, total: number) => void = () => undefined,
): Promise<CutSummary> {
  const scene = await createScene(120, { audit: { freshProbes: 40, batchSize: 16 } });
  const suspect = await serve(lookUpThief(scene.served));
  suspect.labelsOnly = true;
  const summary = { cuts: 0, different: 0, askedOtherwise: 0, rewritten: 0 };
  try {
    const [whole, out] = [scene.out('whole'), scene.out('cut')];
    const prepared = await prepareAudit(scene.options('', ''));
    const optionsOf = (name: string) => ({
      ...scene.options(suspect.kserve, name),
      suspectName: 'thief',
    });
    const expected = comparable(await auditSuspect(prepared, optionsOf('whole')));
    const log = readFileSync(join(whole, 'answers.jsonl'));
    const lastLine = log.lastIndexOf(0x0a, -2) + 1;
    const start = log.lastIndexOf(0x0a, lastLine - 2) + 1;
    for (let end = start; end < log.length; end += step) {
      rmSync(out, { recursive: true, force: true });
      cpSync(whole, out, { recursive: true });
      for (const name of ['report.json', 'report.html', 'thief.dossier.json']) {
        rmSync(join(out, name));
      }
      truncateSync(join(out, 'answers.jsonl'), end);
      suspect.asked.length = 0;
      const report = await auditSuspect(prepared, { ...optionsOf('cut'), resume: true });
      const kept = end < lastLine ? start : lastLine;
      const after = readFileSync(join(out, 'answers.jsonl'));
      summary.cuts += 1;
      if (!isDeepStrictEqual(comparable(report), expected)) summary.different += 1;
      if (suspect.asked.length !== (end < lastLine ? 2 : 1)) summary.askedOtherwise += 1;
      if (!after.subarray(0, kept).equals(log.subarray(0, kept))) summary.rewritten += 1;
      onCut(end - start, log.length - start);
    }
    return summary;
  } finally {
    suspect.close();
    scene.close();
  }
}
