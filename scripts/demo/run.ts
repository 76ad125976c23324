import { join } from 'node:path';
import { request } from 'undici';
import type { Progress, ServedRecord } from '../../src/contracts.ts';
import { auditSuspect, prepareAudit } from '../../src/operations/audit.ts';
import type { AuditReport } from '../../src/report/model.ts';
import { topTwo, totalVariation } from '../../src/watermark/probability/distribution.ts';
import { loadThirdParties } from './independents.ts';
import { labels } from './languages.ts';
import { type ModelServerOptions, serveModel } from './model-server.ts';
import { type Owner, startOwner, tenant } from './owner.ts';
import { loadProtectedModel } from './protected-model.ts';
import { drawPools, type Snippet } from './snippets.ts';
import {
  argMax,
  type StolenAnswers,
  trainLabelThief,
  trainSmallNaiveBayes,
  trainSoftStudent,
} from './thieves.ts';

const queries = 5000;
const queriesAtOnce = 50;
const signal = AbortSignal.timeout(3_600_000);

export interface DemoOptions {
  readonly seed: string;
  readonly out: string;
  readonly progress: Progress;
}

/** One suspect of the demonstration, and what the audit said of it. */
export interface DemoSuspect {
  readonly name: string;
  readonly truth: 'surrogate' | 'independent';
  readonly kind: string;
  readonly report: AuditReport;
  readonly seconds: number;
}

export interface DemoResult {
  readonly protected: {
    readonly name: string;
    readonly labels: number;
    readonly accuracyClean: number;
    readonly accuracyServed: number;
    readonly meanTotalVariation: number;
    /** Answers whose arg-max differs from the clean one's without a coin having fallen. */
    readonly argMaxChangedByProbabilityMark: number;
  };
  readonly suspects: readonly DemoSuspect[];
  readonly seconds: number;
}

interface Candidate {
  readonly name: string;
  readonly truth: DemoSuspect['truth'];
  readonly kind: string;
  readonly server: Omit<ModelServerOptions, 'name'>;
}

/** Steals a served model over HTTP, trains surrogates, and audits them beside innocent models. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const started = performance.now();
  const { seed, out, progress } = options;
  const predict = await loadProtectedModel();
  const pools = drawPools(seed, queries);
  const upstream = await serveModel({ name: 'fasttext-lid', protocol: 'http', labels, predict });
  const startProject = (name: string, pool: Snippet[], suspects: number): Promise<Owner> =>
    startOwner({
      directory: join(out, name),
      upstream: upstream.specification,
      seed: `${seed}/${name}`,
      twinTexts: textsOf(pool),
      freshTexts: textsOf(pools.fresh),
      suspects,
      progress,
    });
  const thirdParties = await loadThirdParties();
  const owner = await startProject('owner', [...pools.twin], 6 + thirdParties.length);
  const otherOwner = await startProject('other-owner', [...pools.twin], 1);
  try {
    const candidates = [
      ...(await surrogates(owner, otherOwner, pools.attacker, seed, progress)),
      ...thirdParties.map(({ server, ...each }) => ({
        ...each,
        truth: 'independent' as const,
        server: { protocol: 'http' as const, ...server },
      })),
    ];
    const prepared = await prepareAudit({ configPath: owner.configPath, tenant, signal, progress });
    const suspects: DemoSuspect[] = [];
    for (const candidate of candidates) {
      const { name, truth, kind, server } = candidate;
      const served = await serveModel({ name, ...server });
      const begun = performance.now();
      const report = await auditSuspect(prepared, {
        configPath: owner.configPath,
        suspect: served.specification,
        suspectName: name,
        tenant,
        out: join(out, 'audits', name),
        resume: false,
        signal,
        progress: (stage, done, total) => progress(`${name}: ${stage}`, done, total),
      });
      await served.close();
      suspects.push({ name, truth, kind, report, seconds: (performance.now() - begun) / 1000 });
    }
    return {
      protected: await costOfMark(prepared.records, pools.attacker),
      suspects,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await owner.close();
    await otherOwner.close();
    await upstream.close();
  }
}

/** Runs the campaign against the owner and, for the innocent student, against somebody else. */
async function surrogates(
  owner: Owner,
  otherOwner: Owner,
  pool: readonly Snippet[],
  seed: string,
  progress: Progress,
): Promise<Candidate[]> {
  const texts = textsOf(pool);
  const stolen = await queryGateway(owner, texts, progress);
  const foreign = await queryGateway(otherOwner, texts, progress);
  const train = (
    name: string,
    answers: Pick<StolenAnswers, 'texts' | 'probabilities'>,
    hidden: number,
  ) =>
    trainSoftStudent(answers, { hidden, seed: `${seed}/${name}` }, (_, done, total) =>
      progress(`training ${name}`, done, total),
    );
  const trueRows = pool.map(({ language }) => labels.map((_, index) => Number(index === language)));
  const soft = (predict: ModelServerOptions['predict'], protocol: 'http' | 'kserve') => ({
    protocol,
    labels,
    predict,
  });
  return [
    {
      name: 'soft-network',
      truth: 'surrogate',
      kind: 'network of 64 units on stolen probabilities',
      server: soft(await train('soft-network', stolen, 64), 'kserve'),
    },
    {
      name: 'soft-linear',
      truth: 'surrogate',
      kind: 'softmax regression on stolen probabilities',
      server: soft(await train('soft-linear', stolen, 0), 'http'),
    },
    {
      name: 'label-perceptron',
      truth: 'surrogate',
      kind: 'averaged perceptron over 32,768 hashed n-grams on stolen labels',
      server: { protocol: 'kserve', predict: trainLabelThief(stolen, seed) },
    },
    {
      name: 'label-naive-bayes',
      truth: 'surrogate',
      kind: 'small naive Bayes on stolen labels',
      server: { protocol: 'http', predict: trainSmallNaiveBayes(stolen) },
    },
    {
      name: 'true-label-network',
      truth: 'independent',
      kind: 'the same network on true labels of the same texts',
      server: soft(
        await train('true-label-network', { texts, probabilities: trueRows }, 64),
        'kserve',
      ),
    },
    {
      name: 'other-owner-student',
      truth: 'independent',
      kind: "the same network on answers under another owner's key",
      server: soft(await train('other-owner-student', foreign, 64), 'http'),
    },
  ];
}

async function queryGateway(
  owner: Owner,
  texts: readonly string[],
  progress: Progress,
): Promise<StolenAnswers> {
  const rows: number[][] = [];
  for (let start = 0; start < texts.length; start += queriesAtOnce) {
    const response = await request(`${owner.address}/classify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${owner.apiKey}` },
      body: JSON.stringify({ inputs: texts.slice(start, start + queriesAtOnce) }),
    });
    const body = (await response.body.json()) as { probabilities: number[][] };
    if (response.statusCode !== 200) throw new Error(`the gateway said ${JSON.stringify(body)}`);
    rows.push(...body.probabilities);
    progress('the attacker queries the gateway', rows.length, texts.length);
  }
  return { texts, probabilities: rows, labels: rows.map(argMax) };
}

async function costOfMark(
  records: readonly ServedRecord[],
  pool: readonly Snippet[],
): Promise<DemoResult['protected']> {
  const truth = new Map(pool.map(({ text, language }) => [text.normalize('NFC'), language]));
  const share = (hit: (record: ServedRecord) => boolean) =>
    records.filter(hit).length / records.length;
  const languageOf = ({ input }: ServedRecord) => truth.get(String(input));
  return {
    name: 'fastText lid.176.ftz (npm fasttext.wasm.js)',
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
