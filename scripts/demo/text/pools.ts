import { seededRandom } from '../../../src/stats/sampling.ts';
import type { TextCorpus } from '../../text-corpus.ts';

/** Beginnings of sentences that nobody learned from, for one purpose each. */
export interface TextPools {
  /** What the tenant asks. */
  readonly campaign: readonly Int32Array[];
  /** What suspects are asked to continue; never served to anybody. */
  readonly probes: readonly Int32Array[];
  /** Places where the next token is known, to measure accuracy at. */
  readonly heldOut: readonly { readonly context: Int32Array; readonly next: number }[];
}

const promptTokens = 8;
const campaignPrompts = 250;
const probePrompts = 40;
const heldOutPlaces = 1000;

/** Draws pools without overlap from texts that no model of the demonstration was trained on. */
export function drawTextPools(seed: string, { heldOutTexts }: TextCorpus): TextPools {
  const places = heldOutTexts.flatMap((text) =>
    Array.from({ length: Math.floor(text.length / (promptTokens + 1)) }, (_, index) => {
      const from = index * (promptTokens + 1);
      return text.subarray(from, from + promptTokens + 1);
    }),
  );
  const drawn = seededRandom(`text pools ${seed}`).choose(
    places,
    campaignPrompts + probePrompts + heldOutPlaces,
  );
  const contexts = drawn.map((place) => place.slice(0, promptTokens));
  return {
    campaign: contexts.slice(0, campaignPrompts),
    probes: contexts.slice(campaignPrompts, campaignPrompts + probePrompts),
    heldOut: drawn.slice(campaignPrompts + probePrompts).map((place) => ({
      context: place.slice(0, promptTokens),
      next: place[promptTokens]!,
    })),
  };
}
