import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Progress, ServedRecord } from '../../../src/contracts.ts';
import { auditSuspect, prepareAudit } from '../../../src/operations/audit.ts';
import type { PreparedAudit } from '../../../src/operations/audit-preparation.ts';
import { topTwo, totalVariation } from '../../../src/watermark/probability/distribution.ts';
import type { DemoResult, DemoSuspect } from '../document.ts';
import type { AttackerMessage, Campaign, ServedSuspect } from './attacker.ts';
import { loadThirdParties } from './independents.ts';
import { labels } from './languages.ts';
import { type Prediction, type ServedClassifier, serveModel } from './model-server.ts';
import { type Owner, startOwner, tenant } from './owner.ts';
import { loadProtectedModel } from './protected-model.ts';
import { drawPools, type Pools, type Snippet } from './snippets.ts';

const queries = 5000;
/** Suspects that the attacker's process serves. */
const trained = 6;

export interface DemoOptions {
  readonly seed: string;
  readonly out: string;
  readonly progress: Progress;
  /** The model that is protected; fastText's identifier by default. */
  readonly model?: DemoModel;
  /** Further settings of audits, and of other sections of the owner's configuration. */
  readonly audit?: Readonly<Record<string, unknown>>;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Audits the attacker's models first, which then get what there is little of. */
  readonly attackerFirst?: boolean;
  /** Stocks the owner's project with traps, between the campaign and the audits. */
  readonly stock?: (configPath: string) => Promise<void>;
}

/** A language identifier to protect. */
export interface DemoModel {
  readonly name: string;
  readonly description: string;
  readonly predict: (text: string) => Prediction;
}

/** A campaign that is over: what was asked, and who learned from the answers. */
export interface Stolen {
  readonly owner: Owner;
  readonly model: DemoModel;
  readonly pools: Pools;
  /** The attacker's models and those of third parties, each served at an address. */
  readonly suspects: {
    readonly attacker: readonly ServedSuspect[];
    readonly thirdParties: readonly ServedSuspect[];
  };
  readonly signal: AbortSignal;
}

/** Steals a served model over HTTP and trains surrogates; all is served until `use` is done. */
export async function withStolenModel<Result>(
  options: DemoOptions,
  use: (stolen: Stolen) => Promise<Result>,
): Promise<Result> {
  const { seed, out, progress } = options;
  const signal = AbortSignal.timeout(3_600_000);
  const pools = drawPools(seed, queries);
  const model = options.model ?? (await fastText());
  const { name, predict } = model;
  const protectedModel = await serveModel({ name, protocol: 'http', labels, predict });
  const thirdParties = await serveThirdParties();
  const startProject = (project: string, suspects: number): Promise<Owner> =>
    startOwner({
      directory: join(out, project),
      model: name,
      upstream: protectedModel.specification,
      seed: `${seed}/${project}`,
      twinTexts: textsOf(pools.twin),
      freshTexts: textsOf(pools.fresh),
      suspects,
      audit: options.audit ?? {},
      settings: options.settings ?? {},
      progress,
    });
  const owner = await startProject('owner', trained + thirdParties.length);
  const otherOwner = await startProject('other-owner', 1);
  const attacker = startAttacker(campaignOf(seed, pools, owner, otherOwner), progress);
  try {
    await attacker.queried;
    await options.stock?.(owner.configPath);
    const suspects = { attacker: await attacker.serving, thirdParties };
    return await use({ owner, model, pools, suspects, signal });
  } finally {
    attacker.stop();
    await Promise.all([owner, otherOwner].map((each) => each.close()));
    await Promise.all([protectedModel, ...thirdParties].map((each) => each.close()));
  }
}

/** Steals a served model over HTTP, trains surrogates, and audits them beside innocent models. */
export function runClassifierDemo(options: DemoOptions): Promise<DemoResult> {
  const started = performance.now();
  return withStolenModel(options, async (stolen) => {
    const { owner, model, pools, signal } = stolen;
    const { progress } = options;
    const prepared = await prepareAudit({ configPath: owner.configPath, tenant, signal, progress });
    const { attacker, thirdParties } = stolen.suspects;
    const [first, then] = options.attackerFirst
      ? [attacker, thirdParties]
      : [thirdParties, attacker];
    const suspects: DemoSuspect[] = [];
    for (const suspect of [...first, ...then]) {
      suspects.push(await auditServed(prepared, suspect, stolen, options));
    }
    return {
      protected: costOfMark(model, prepared.records, pools.attacker),
      suspects: options.attackerFirst
        ? suspects
        : [...suspects.slice(-trained), ...suspects.slice(0, -trained)],
      seconds: (performance.now() - started) / 1000,
    };
  });
}

/** Audits one suspect, with a report of its own under `out`. */
export async function auditServed(
  prepared: PreparedAudit,
  { specification, ...suspect }: ServedSuspect,
  { owner, signal }: Stolen,
  { out, progress }: Pick<DemoOptions, 'out' | 'progress'>,
): Promise<DemoSuspect> {
  const begun = performance.now();
  const report = await auditSuspect(prepared, {
    configPath: owner.configPath,
    suspect: specification,
    suspectName: suspect.name,
    tenant,
    out: join(out, 'audits', suspect.name),
    resume: false,
    signal,
    progress: (stage, done, total) => progress(`${suspect.name}: ${stage}`, done, total),
  });
  return {
    ...suspect,
    verdict: report.verdict,
    score: report.score,
    probes: report.run.probesAsked,
    evidence: report.evidence,
    seconds: (performance.now() - begun) / 1000,
  };
}

async function serveThirdParties(): Promise<(ServedSuspect & ServedClassifier)[]> {
  return Promise.all(
    (await loadThirdParties()).map(async ({ name, kind, server }) => ({
      name,
      kind,
      truth: 'independent' as const,
      ...(await serveModel({ name, protocol: 'http', ...server })),
    })),
  );
}

function campaignOf(seed: string, pools: Pools, owner: Owner, otherOwner: Owner): Campaign {
  return {
    seed,
    texts: textsOf(pools.attacker),
    languages: pools.attacker.map(({ language }) => language),
    target: { address: owner.address, apiKey: owner.apiKey },
    otherTarget: { address: otherOwner.address, apiKey: otherOwner.apiKey },
  };
}

interface Attacker {
  /** Resolves when the campaign is over and training begins. */
  readonly queried: Promise<true>;
  readonly serving: Promise<readonly ServedSuspect[]>;
  stop(): void;
}

/** Starts the attacker as a process of its own, which has the second core to itself. */
function startAttacker(campaign: Campaign, progress: Progress): Attacker {
  const child: ChildProcess = fork(join(import.meta.dirname, 'attacker.ts'), {
    execArgv: ['--import', 'tsx'],
  });
  const heard = <Value>(pick: (message: AttackerMessage) => Value | undefined): Promise<Value> =>
    new Promise((resolve, reject) => {
      child.on('message', (message: AttackerMessage) => {
        const value = pick(message);
        if (value !== undefined) resolve(value);
      });
      child.on('exit', (code) => {
        reject(new Error(`the attacker's process ended early with exit code ${code}`));
      });
    });
  child.on('message', (message: AttackerMessage) => {
    if (message.event === 'progress') progress(message.stage, message.done, message.total);
  });
  const queried = heard((message) => (message.event === 'queried' ? true : undefined));
  const serving = heard((message) => (message.event === 'serving' ? message.suspects : undefined));
  serving.catch(() => undefined);
  child.send(campaign);
  return { queried, serving, stop: () => child.disconnect() };
}

async function fastText(): Promise<DemoModel> {
  return {
    name: 'fasttext-lid',
    description: 'fastText lid.176.ftz (npm fasttext.wasm.js)',
    predict: await loadProtectedModel(),
  };
}

function costOfMark(
  { description }: DemoModel,
  records: readonly ServedRecord[],
  pool: readonly Snippet[],
): DemoResult['protected'] {
  const truth = new Map(pool.map(({ text, language }) => [text.normalize('NFC'), language]));
  const share = (hit: (record: ServedRecord) => boolean) =>
    records.filter(hit).length / records.length;
  const languageOf = ({ input }: ServedRecord) => truth.get(String(input));
  return {
    name: description,
    labels: labels.length,
    accuracyClean: share((record) => topTwo(record.clean)[0] === languageOf(record)),
    accuracyServed: share((record) => record.label === languageOf(record)),
    meanTotalVariation:
      records.reduce((sum, { clean, served }) => sum + totalVariation(clean, served), 0) /
      records.length,
    argMaxChangedByProbabilityMark: records.filter(
      ({ clean, label, marks }) => marks.coin === undefined && topTwo(clean)[0] !== label,
    ).length,
  };
}

function textsOf(pool: readonly Snippet[]): string[] {
  return pool.map(({ text }) => text);
}
