/**
 * The attacker, a process of its own: it holds an API key and texts, queries the gateway, trains
 * surrogates from the answers alone, and serves them.
 */
import { request } from 'undici';
import type { Progress } from '../../../src/contracts.ts';
import { labels } from './languages.ts';
import { type ModelServerOptions, serveModel } from './model-server.ts';
import {
  argMax,
  type StolenAnswers,
  trainLabelThief,
  trainSmallNaiveBayes,
  trainSoftStudent,
} from './thieves.ts';

const queriesAtOnce = 50;

export interface Target {
  readonly address: string;
  readonly apiKey: string;
}

/** What the demonstration tells the attacker. */
export interface Campaign {
  readonly seed: string;
  readonly texts: readonly string[];
  /** True labels of the texts, for the network that steals nothing. */
  readonly languages: readonly number[];
  readonly target: Target;
  /** Another owner's gateway before the same model. */
  readonly otherTarget: Target;
}

/** A model that the attacker serves. */
export interface ServedSuspect {
  readonly name: string;
  readonly truth: 'surrogate' | 'independent';
  readonly kind: string;
  readonly specification: string;
}

/** What the attacker tells the demonstration. */
export type AttackerMessage =
  | {
      readonly event: 'progress';
      readonly stage: string;
      readonly done: number;
      readonly total: number;
    }
  | { readonly event: 'queried' }
  | { readonly event: 'serving'; readonly suspects: readonly ServedSuspect[] };

const tell = (message: AttackerMessage): void => void process.send?.(message);
const progress: Progress = (stage, done, total) => tell({ event: 'progress', stage, done, total });

process.on('disconnect', () => process.exit());
process.once('message', (campaign: Campaign) => {
  void attack(campaign);
});

async function attack({ seed, texts, languages, target, otherTarget }: Campaign): Promise<void> {
  const stolen = await query(target, texts);
  const foreign = await query(otherTarget, texts);
  tell({ event: 'queried' });
  const oneHot = languages.map((language) => labels.map((_, index) => Number(index === language)));
  const soft = async (
    name: string,
    answers: Pick<StolenAnswers, 'texts' | 'probabilities'>,
    hidden: number,
  ) => {
    const options = { hidden, seed: `${seed}/${name}` };
    const report: Progress = (_, done, total) =>
      progress(`attacker: training ${name}`, done, total);
    return { name, labels, predict: await trainSoftStudent(answers, options, report) };
  };
  const suspects = [
    await serve('surrogate', 'network of 64 units on stolen probabilities', 'kserve', {
      ...(await soft('soft-network', stolen, 64)),
    }),
    await serve('surrogate', 'softmax regression on stolen probabilities', 'http', {
      ...(await soft('soft-linear', stolen, 0)),
    }),
    await serve('surrogate', 'averaged perceptron over 32,768 n-grams, stolen labels', 'kserve', {
      name: 'label-perceptron',
      predict: trainLabelThief(stolen, seed),
    }),
    await serve('surrogate', 'small naive Bayes, stolen labels', 'http', {
      name: 'label-naive-bayes',
      predict: trainSmallNaiveBayes(stolen),
    }),
    await serve('independent', 'the same network on true labels of the same texts', 'kserve', {
      ...(await soft('true-label-network', { texts, probabilities: oneHot }, 64)),
    }),
    await serve('independent', "the same network under another owner's key", 'http', {
      ...(await soft('other-owner-student', foreign, 64)),
    }),
  ];
  tell({ event: 'serving', suspects });
}

async function serve(
  truth: ServedSuspect['truth'],
  kind: string,
  protocol: ModelServerOptions['protocol'],
  model: Omit<ModelServerOptions, 'protocol'>,
): Promise<ServedSuspect> {
  const { specification } = await serveModel({ ...model, protocol });
  return { name: model.name, truth, kind, specification };
}

async function query(
  { address, apiKey }: Target,
  texts: readonly string[],
): Promise<StolenAnswers> {
  const rows: number[][] = [];
  for (let start = 0; start < texts.length; start += queriesAtOnce) {
    const response = await request(`${address}/classify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
      body: JSON.stringify({ inputs: texts.slice(start, start + queriesAtOnce) }),
    });
    const body = (await response.body.json()) as { probabilities: number[][] };
    if (response.statusCode !== 200) throw new Error(`the gateway said ${JSON.stringify(body)}`);
    rows.push(...body.probabilities);
    progress('attacker: querying the gateway', rows.length, texts.length);
  }
  return { texts, probabilities: rows, labels: rows.map(argMax) };
}
