import { createHash } from 'node:crypto';
import type { Progress } from '../../src/contracts.ts';
import type { ModelCache } from '../../src/models/training/model-cache.ts';
import type { MemberPlan } from './manifest.ts';
import { openMember } from './open-member.ts';
import type { Truth, ZooModel } from './zoo-model.ts';

/** One model of a member, as the zoo's table and manifest show it. */
export interface ModelSummary {
  readonly id: string;
  readonly truth: Truth;
  readonly kind: string;
  readonly familiar: boolean;
  /** Whether it gives probabilities, or labels only. */
  readonly gives: 'probabilities' | 'labels';
  /** Shares of ordinary traffic on which it is right, and says what the protected model says. */
  readonly accuracy: number;
  readonly agreement: number;
  /** SHA-256 of its answers to the first 200 questions of traffic. */
  readonly answers: string;
}

export interface MemberSummary extends MemberPlan {
  readonly scene: string;
  /** Digest of the key and strengths that the surrogates' answers were marked with. */
  readonly profile: string;
  /** Questions of ordinary traffic behind the shares. */
  readonly traffic: number;
  readonly models: readonly ModelSummary[];
}

const [sharedQuestions, digestedQuestions] = [1000, 200];

/** Opens a member with marked answers and says what it holds. */
export async function summarise(
  plan: MemberPlan,
  options: {
    readonly cache: ModelCache;
    readonly signal: AbortSignal;
    readonly progress: Progress;
  },
): Promise<MemberSummary> {
  const { scene, protectedModel, surrogates, independents, served } = await openMember({
    ...options,
    task: plan.task,
    number: plan.number,
  });
  const inputs = scene.traffic.inputs.slice(0, sharedQuestions);
  const labels = scene.traffic.labels.slice(0, sharedQuestions);
  const first = inputs.slice(0, digestedQuestions);
  const models = [protectedModel, ...surrogates, ...independents];
  const answers = models.map((model) => model.label(inputs));
  const share = (hits: (row: number) => boolean) =>
    labels.filter((_, row) => hits(row)).length / labels.length;
  const own = answers[0]!;
  return {
    ...plan,
    scene: scene.name,
    profile: createHash('sha256').update(JSON.stringify(served!.profile)).digest('hex'),
    traffic: labels.length,
    models: models.map((model, place) => ({
      ...{ id: model.id, truth: model.truth, kind: model.kind, familiar: model.familiar },
      gives: model.probabilities ? 'probabilities' : 'labels',
      accuracy: share((row) => answers[place]![row] === labels[row]),
      agreement: share((row) => answers[place]![row] === own[row]),
      answers: answersDigest(model, first),
    })),
  };
}

/** Returns the SHA-256 of a model's labels and probabilities, in hexadecimal. */
export function answersDigest(model: ZooModel, inputs: Parameters<ZooModel['label']>[0]): string {
  const labels = Int16Array.from(model.label(inputs) as ArrayLike<number>, (label) => label ?? -1);
  const hash = createHash('sha256').update(labels);
  const probabilities = model.probabilities?.(inputs);
  if (probabilities !== undefined) hash.update(probabilities);
  return hash.digest('hex');
}
