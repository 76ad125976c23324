import { conductTextAudit } from '../../../src/audit/conduct-text.ts';
import { charges } from '../../../src/audit/multiplicity.ts';
import { isCounted, provenanceScore } from '../../../src/audit/score.ts';
import type { TextMaterial } from '../../../src/audit/text-material.ts';
import { decide } from '../../../src/audit/verdict.ts';
import type { Progress } from '../../../src/contracts.ts';
import { readTextCorpus } from '../../text-corpus.ts';
import type { DemoResult, DemoSuspect } from '../document.ts';
import { costOfTextMark } from './cost.ts';
import { outputsOf, serveTenant, startTextOwner } from './owner.ts';
import { drawTextPools } from './pools.ts';
import { type TextSuspect, trainSuspects } from './suspects.ts';

export interface TextDemoOptions {
  readonly seed: string;
  readonly progress: Progress;
}

const signal = AbortSignal.timeout(3_600_000);
const threshold = 6;
const batchSize = 16;
const progressDone = 1;

/**
 * Lets a protected language model answer a tenant under its key, trains students on the answers, and
 * audits them beside innocent models: on their own samples, on contexts of the log, and in contrast
 * to a reference model.
 */
export async function runTextDemo({ seed, progress }: TextDemoOptions): Promise<DemoResult> {
  const started = performance.now();
  progress('reading and encoding the State of the Union addresses', 0, progressDone);
  const corpus = await readTextCorpus();
  const pools = drawTextPools(seed, corpus);
  progress('training the protected model', 0, progressDone);
  const owner = startTextOwner({ seed, corpus, tenant: 'mallory' });
  const log = await serveTenant(owner, pools.campaign, seed, signal, progress);
  const suspects = await trainSuspects({
    seed,
    corpus,
    owner,
    prompts: pools.campaign,
    marked: outputsOf(log),
    signal,
    progress,
  });
  const material = owner.material(log, pools.probes);
  const results: DemoSuspect[] = [];
  for (const suspect of suspects) {
    results.push(await auditOne(suspect, material, suspects.length, progress));
  }
  return {
    protected: costOfTextMark(owner, pools.heldOut),
    suspects: results,
    seconds: (performance.now() - started) / 1000,
  };
}

async function auditOne(
  { model, ...suspect }: TextSuspect,
  material: TextMaterial,
  suspects: number,
  progress: Progress,
): Promise<DemoSuspect> {
  const begun = performance.now();
  const { evidence, probes } = await conductTextAudit({
    material,
    suspect: model,
    batchSize,
    signal,
    progress: (stage, done, total) => progress(`${suspect.name}: ${stage}`, done, total),
  });
  const paid = charges({ tenants: 1, suspects, audit: 1 });
  const score = paid.reduce((rest, { bans }) => rest - bans, provenanceScore(evidence));
  return {
    ...suspect,
    verdict: decide(score, threshold, true, undefined),
    score,
    probes,
    evidence: evidence.map((each) => ({ ...each, counted: isCounted(each) })),
    seconds: (performance.now() - begun) / 1000,
  };
}
