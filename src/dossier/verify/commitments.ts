import { z } from 'zod';
import { digestOf } from '../../audit/plan.ts';
import {
  type ByPart,
  digestOfParts,
  materialParts,
  partDigests,
} from '../../audit/stored-material.ts';
import type { ClassifierKeys } from '../../keys/classifier-keys.ts';
import {
  type CoinOpening,
  type KeyedBits,
  RevealedCoins,
  verifyCoinOpening,
} from '../../keys/coin-tree.ts';
import { commitToPurposeKey, epochCommitment } from '../../keys/commitment.ts';
import type { Purpose } from '../../keys/derivation.ts';
import { type ClassifierProfile, profileSchemas } from '../../watermark/classifier-profile.ts';
import { refused } from '../envelope.ts';
import { needsPart, needsReveal } from '../shown-tests.ts';
import type { DossierPredicate } from '../statement.ts';

/**
 * Checks that profile, material and epoch commitments are those that the plan sealed, and that exactly
 * the parts that the shown tests need are there.
 *
 * @throws TouchmarkError EVIDENCE_INVALID
 */
export function requireSealedMaterial(
  { plan, profile, material, epoch }: DossierPredicate,
  tests: ReadonlySet<string>,
): void {
  if (digestOf(profile) !== plan.profile) throw refused('holds another profile than the plan');
  const texts: ByPart = material.parts;
  const digests: ByPart = material.digests;
  const shown = partDigests(texts);
  for (const part of materialParts) {
    const text = texts[part];
    if (text !== undefined && shown[part] !== digests[part]) {
      throw refused(`holds a part "${part}" of the material that is not the one sealed`);
    }
    const wanted = needsPart(tests, part) && digests[part] !== undefined;
    if (wanted !== (text !== undefined)) {
      throw refused(`${wanted ? 'lacks' : 'shows without need'} the part "${part}"`);
    }
  }
  if (digestOfParts(digests) !== plan.material) {
    throw refused('holds other material than the plan sealed');
  }
  if (epochCommitment(epoch.commitments, plan.tenant, plan.epoch) !== plan.epochCommitment) {
    throw refused('holds commitments that are not those of the epoch');
  }
}

/**
 * Checks every revealed piece of the epoch's keys against its commitment, and returns what reads marks
 * with exactly these pieces.
 *
 * @throws TouchmarkError EVIDENCE_INVALID for a piece that does not fit, or that no shown test needs
 */
export function revealedKeys(
  { reveals, epoch: { commitments } }: DossierPredicate,
  tests: ReadonlySet<string>,
): ClassifierKeys {
  for (const layer of ['labelCoins', 'perQuery', 'smooth'] as const) {
    if (needsReveal(tests, layer) === (reveals[layer] !== undefined)) continue;
    throw refused(`reveals ${layer} where the shown tests do not need it, or lacks it`);
  }
  const { labelCoins = [], perQuery, smooth } = reveals;
  const keyOf = (purpose: Purpose, key: string | undefined): Uint8Array => {
    if (key === undefined) return unread;
    const bytes = Buffer.from(key, 'hex');
    if (commitToPurposeKey(bytes) === commitments[purpose]) return bytes;
    throw refused(`reveals a key of ${purpose} that is not the one committed to`);
  };
  return {
    labelCoins: coinsOf(commitments['label-coins'], labelCoins),
    perQuery: coinsOf(commitments['probability-per-query'], perQuery?.leaves ?? []),
    directionKey: keyOf('probability-direction', perQuery?.directionKey),
    carriersKey: keyOf('probability-carriers', smooth?.carriersKey),
    signsKey: keyOf('probability-signs', smooth?.signsKey),
  };
}

/** Stands for a key that is not shown; tests that would read it do not run. */
const unread = new Uint8Array(32);

type StatedOpening = NonNullable<DossierPredicate['reveals']['labelCoins']>[number];

function coinsOf(root: string, stated: readonly StatedOpening[]): KeyedBits {
  const openings = stated.map(
    ({ leaf, seed, proof }): CoinOpening => ({
      leaf,
      seed: Buffer.from(seed, 'hex'),
      proof: proof.map((hash) => Buffer.from(hash, 'hex')),
    }),
  );
  const ascending = openings.every(({ leaf }, place) => leaf > (openings[place - 1]?.leaf ?? -1));
  const bytes = Buffer.from(root, 'hex');
  const odd = openings.find((opening) => !verifyCoinOpening(bytes, opening));
  if (odd !== undefined) throw refused(`reveals the leaf ${odd.leaf} with a proof that fails`);
  if (!ascending) throw refused('reveals leaves twice or out of order');
  return new RevealedCoins(openings);
}

/** Carriers times features beyond which no owner seals a profile: a reader's memory is theirs. */
const largestCarriers = 2 ** 28;
const longestNgram = 64;
const count = z.int().nonnegative();

const sizesSchema = z.looseObject({
  schema: z.enum(profileSchemas),
  labels: z.array(z.string()).min(1),
  features: z.union([
    z.looseObject({
      kind: z.literal('text'),
      ngrams: z.looseObject({ dimensions: count, longest: count.max(longestNgram) }),
    }),
    z.looseObject({ kind: z.literal('tensor'), mean: z.array(z.number()) }),
  ]),
  linearCarriers: count,
  fourierCarriers: count,
});

/**
 * Returns the profile, which is as it was sealed, digest for digest.
 *
 * @throws TouchmarkError EVIDENCE_INVALID for one of an unknown version, that names a label twice, or
 *   whose carriers would take more than a reader has
 */
export function sealedProfile({ profile }: DossierPredicate): ClassifierProfile {
  const { data } = sizesSchema.safeParse(profile);
  if (data === undefined) {
    throw refused(`holds no profile of a classifier that is ${profileSchemas.join(' or ')}`);
  }
  const { features, labels, linearCarriers, fourierCarriers } = data;
  const dimensions =
    features.kind === 'text' ? features.ngrams.dimensions : Math.max(1, features.mean.length);
  if ((linearCarriers + fourierCarriers) * dimensions > largestCarriers) {
    throw refused('holds a profile whose carriers are more than can be read');
  }
  if (new Set(labels).size < labels.length) throw refused('holds a profile with a label twice');
  return z
    .custom<ClassifierProfile>((value) => typeof value === 'object' && value !== null)
    .parse(profile);
}
