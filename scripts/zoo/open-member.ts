import type { Progress, ServedRecord } from '../../src/contracts.ts';
import type { Layers } from '../../src/models/training/layers.ts';
import type { ModelCache } from '../../src/models/training/model-cache.ts';
import { imageScene } from './images.ts';
import { trainIndependents } from './independents.ts';
import { members, type SurrogateKind, surrogateKinds, type TaskName } from './manifest.ts';
import type { Scene } from './scene.ts';
import { type ServedModel, serveModel } from './served.ts';
import { trainProtected } from './subject.ts';
import { trainThieves } from './surrogates.ts';
import { textScene } from './texts.ts';
import { thirdPartyModels } from './third-parties.ts';
import { layersAnswerer, type ZooModel } from './zoo-model.ts';

export interface MemberOptions {
  /** Surrogates of each kind; 1 by default. */
  readonly perKind?: number;
  /** All of the manifest by default. */
  readonly kinds?: readonly SurrogateKind[];
  /**
   * Whether surrogates learn from what a tenant is served, marked, or from what the protected model
   * says itself. Independents are the same either way.
   */
  readonly answers?: 'clean' | 'served';
  readonly cache: ModelCache;
  readonly signal: AbortSignal;
  readonly progress?: Progress;
}

/** A protected model, and everybody who did or did not learn from it. */
export interface Member {
  readonly scene: Scene;
  readonly protectedModel: Required<ZooModel> & { readonly layers: Layers };
  readonly surrogates: readonly ZooModel[];
  readonly independents: readonly ZooModel[];
  /** Absent when the answers are clean. */
  readonly served?: Omit<ServedModel, 'recordsOf'> & {
    /**
     * Returns the serving log of the thief who made a surrogate, as if nobody else had asked.
     *
     * @throws RangeError for an identifier of no surrogate of this member
     */
    recordsOf(surrogateId: string): readonly ServedRecord[];
  };
}

/**
 * Opens one member of the zoo: trains its models, or finds them in the cache.
 *
 * @throws RangeError for a number that the manifest does not have
 */
export async function openMember({
  task,
  number,
  ...options
}: MemberOptions & { readonly task: TaskName; readonly number: number }): Promise<Member> {
  const plan = members.find((each) => each.task === task && each.number === number);
  if (plan === undefined) throw new RangeError(`the zoo has no member ${task}/${number}`);
  const seed = String(number);
  const scene = { ...(task === 'images' ? imageScene : textScene)(seed), units: plan.units };
  const member = await raiseMember(scene, `${task}/${number}`, seed, options);
  if (task === 'images') return member;
  const thirdParties = prefixed(`${task}/${number}`, await thirdPartyModels(scene));
  return { ...member, independents: [...member.independents, ...thirdParties] };
}

/** Trains the models of a member whose data are at hand. */
export async function raiseMember(
  scene: Scene,
  id: string,
  seed: string,
  options: MemberOptions,
): Promise<Member> {
  const { perKind = 1, kinds = surrogateKinds, answers = 'served', cache, signal } = options;
  const { progress = () => undefined } = options;
  const shared = { seed, cache, signal, progress };
  const layers = await trainProtected(scene, shared);
  const protectedModel = {
    ...{ id: `${id}/protected`, truth: 'protected' as const, familiar: true, layers },
    kind: scene.units === 0 ? 'linear' : `network of ${scene.units} units`,
    ...layersAnswerer(scene.views.protected, layers),
  };
  const served = answers === 'served' ? await serveModel(scene, protectedModel, shared) : undefined;
  const workshop = { ...shared, scene, protected: layers };
  const independents = prefixed(id, await trainIndependents(workshop, 'zoo'));
  const teacher = served && { served: served.answer };
  const surrogates = prefixed(id, await trainThieves({ ...workshop, ...teacher }, kinds, perKind));
  const recordsOf = (surrogateId: string): readonly ServedRecord[] => {
    const surrogate = surrogates.find((each) => each.id === surrogateId);
    if (surrogate === undefined) throw new RangeError(`no surrogate is called ${surrogateId}`);
    return served!.recordsOf(surrogate.asked);
  };
  return {
    ...{ scene, protectedModel, surrogates, independents },
    ...(served && { served: { ...served, recordsOf } }),
  };
}

function prefixed<Model extends ZooModel>(id: string, models: readonly Model[]): Model[] {
  return models.map((model) => ({ ...model, id: `${id}/${model.id}` }));
}
