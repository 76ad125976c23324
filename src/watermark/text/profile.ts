import { z } from 'zod';
import { TouchmarkError } from '../../errors.ts';
import { identifierBitsRange } from './tenants/identifiers.ts';

const share = z.number().gt(0).lt(1).describe('Share of the vocabulary that is green.');
const delta = z.number().positive().max(50).describe('Logits that green tokens gain on others.');
const width = z.int().min(0).max(16);

const mostBiasedTokens = 2 ** 16;
/** What shares sum to at most when each is rounded to three digits. */
const mostExpected = 1.005 + 1e-6;
const biasedToken = z.strictObject({
  id: z.int().min(0),
  expected: z
    .number()
    .gt(0)
    .lt(1)
    .describe("The token's share of the owner's unmarked output, fixed without the key."),
});

/** A token of a biased list. */
export type BiasedToken = z.infer<typeof biasedToken>;

const schemes = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('green-list'), gamma: share, delta }),
  z.strictObject({ name: z.literal('fixed-green-list'), gamma: share, delta }),
  z.strictObject({
    name: z.literal('biased-list'),
    bias: z.number().positive().max(25).describe('Logits that each token gains or loses.'),
    tokens: z
      .array(biasedToken)
      .min(1)
      .max(mostBiasedTokens)
      .describe('The tokens that are biased, most telling first, chosen without the key.'),
  }),
  z.strictObject({ name: z.literal('gumbel') }),
  z.strictObject({ name: z.literal('tournament'), depth: z.int().min(1).max(1024) }),
]);

const prfs = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.literal('native'),
    contextWidth: width.describe('Tokens before the marked one that choose its mark.'),
  }),
  z.strictObject({
    name: z.literal('hugging-face'),
    seeding: z.enum(['lefthash', 'selfhash']),
    contextWidth: z.int().min(1).max(16).describe("transformers' context_width."),
    device: z
      .enum(['cpu', 'gpu'])
      .optional()
      .describe('Where the lists were drawn, if known; those of a GPU cannot be read.'),
  }),
  z.strictObject({
    name: z.enum(['synthid-hf', 'synthid-deepmind']),
    ngramLength: z.int().min(1).max(17).describe("SynthID's ngram_len: context and token."),
  }),
  z.strictObject({
    name: z.literal('vllm-philox'),
    contextWidth: width,
    keys: z.enum(['single', 'dual']),
    alpha: z.number().gt(0).lt(1).optional().describe('Weight of the second key; 0.1 in vLLM.'),
  }),
]);

const sixteenths = z.int().min(0).max(16);
const tenants = z.strictObject({
  identifierBits: z
    .int()
    .min(identifierBitsRange.fewest)
    .max(identifierBitsRange.most)
    .multipleOf(2)
    .describe("Bits of a tenant's identifier; half as many bits number the tenants."),
  layers: z
    .strictObject({
      common: sixteenths.describe('Marked alike for all tenants: finds pooled accounts.'),
      code: sixteenths.describe('Marked by the linear tenant code: screens all tenants at once.'),
      own: sixteenths.describe("Marked under the tenant's own key: names a tenant."),
    })
    .describe('Sixteenths of all contexts, 16 together, chosen by the common key.'),
});

/** How the contexts of an epoch are shared out, in sixteenths. */
export type TenantLayers = z.infer<typeof tenants>['layers'];

/**
 * What must be known to detect a text mark, but for the key: scheme, pseudorandom function, context
 * rule and tokenizer. It is public: the security is in the key.
 */
export const textProfileSchema = z
  .strictObject({
    schema: z.literal('touchmark/text-profile@1'),
    scheme: schemes,
    prf: prfs,
    repeats: z
      .enum(['mark', 'turn', 'all'])
      .describe(
        'Contexts that occur again in a generation: marked, or left alone when they occurred in this turn or anywhere before.',
      ),
    tenants: tenants.optional().describe('Marks that tell tenants apart.'),
    tokenizer: z.strictObject({
      name: z.string().min(1),
      vocabularySize: z
        .int()
        .min(2)
        .max(2 ** 24),
    }),
  })
  .superRefine(({ scheme, prf, repeats, tenants: layered, tokenizer }, context) => {
    const messages = misfits(scheme, prf);
    if (contextTokens(prf) === 0 && repeats !== 'mark') {
      messages.push(
        `without a context every token repeats it: repeats "${repeats}" would leave all but one unmarked; set "mark"`,
      );
    }
    if (scheme.name === 'biased-list') {
      messages.push(...listMisfits(scheme.tokens, prf, tokenizer.vocabularySize));
    }
    if (layered) messages.push(...tenantMisfits(scheme, prf, layered.layers));
    for (const message of messages) context.addIssue({ code: 'custom', message });
  });

export type TextProfile = z.infer<typeof textProfileSchema>;

/**
 * Reads a profile.
 *
 * @param where names the source in errors
 * @throws TouchmarkError CONFIG_INVALID naming every field that does not fit, and schemes that a
 *   pseudorandom function cannot carry
 */
export function parseTextProfile(value: unknown, where: string): TextProfile {
  const parsed = textProfileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new TouchmarkError(
    'CONFIG_INVALID',
    `${where} is not a text profile this version can read: ${z.prettifyError(parsed.error)}`,
    {
      hint: 'See docs/text.md and docs/text-profiles for the fields and an example of each stack.',
    },
  );
}

function misfits(scheme: TextProfile['scheme'], prf: TextProfile['prf']): string[] {
  const messages: string[] = [];
  if (prf.name === 'hugging-face' && prf.device === 'gpu') {
    messages.push(
      'a GPU draws other lists from the same key than a CPU, and only those of a CPU can be drawn here: text that transformers marked on a GPU cannot be tested',
    );
  }
  if (prf.name === 'hugging-face' && scheme.name !== 'green-list') {
    messages.push(`hugging-face lists carry green-list only, not ${scheme.name}`);
  }
  if ('ngramLength' in prf && !carriedBySynthId(scheme)) {
    messages.push(
      `${prf.name} carries tournament, and green lists with gamma 0.5, not ${scheme.name}`,
    );
  }
  if (prf.name === 'vllm-philox') messages.push(...vllmMisfits(scheme, prf));
  if (scheme.name === 'fixed-green-list' && contextTokens(prf) !== 0) {
    messages.push('a fixed green list reads no context: set contextWidth 0 (ngramLength 1)');
  }
  return messages;
}

function listMisfits(
  tokens: readonly BiasedToken[],
  prf: TextProfile['prf'],
  vocabularySize: number,
): string[] {
  const messages: string[] = [];
  if (prf.name !== 'native' || prf.contextWidth !== 0) {
    messages.push('a biased list needs the native function with contextWidth 0');
  }
  if (new Set(tokens.map(({ id }) => id)).size < tokens.length) {
    messages.push('a token is in the biased list twice');
  }
  const outside = tokens.find(({ id }) => id >= vocabularySize);
  if (outside) messages.push(`token ${outside.id} is not in the vocabulary of ${vocabularySize}`);
  if (tokens.reduce((sum, { expected }) => sum + expected, 0) > mostExpected) {
    messages.push('the expected shares of the biased list sum to more than 1');
  }
  return messages;
}

function tenantMisfits(
  scheme: TextProfile['scheme'],
  prf: TextProfile['prf'],
  { common, code, own }: TenantLayers,
): string[] {
  const messages: string[] = [];
  if (scheme.name !== 'green-list' || scheme.gamma !== 0.5 || prf.name !== 'native') {
    messages.push('tenants need a green-list with gamma 0.5 over the native function');
  }
  if (contextTokens(prf) === 0) {
    messages.push('tenants need a context to share out: set contextWidth 1 or more');
  }
  if (common + code + own !== 16) {
    messages.push(`the layers share out ${common + code + own} sixteenths of the contexts, not 16`);
  }
  return messages;
}

function carriedBySynthId(scheme: TextProfile['scheme']): boolean {
  return scheme.name === 'tournament' || ('gamma' in scheme && scheme.gamma === 0.5);
}

function vllmMisfits(
  scheme: TextProfile['scheme'],
  { keys, alpha }: Extract<TextProfile['prf'], { readonly name: 'vllm-philox' }>,
): string[] {
  const messages: string[] = [];
  if (keys === 'dual' && scheme.name !== 'gumbel') {
    messages.push(`the dual key of vllm-philox carries gumbel only, not ${scheme.name}`);
  }
  if (keys === 'single' && alpha !== undefined) {
    messages.push('alpha weighs the second of two keys: set keys to "dual" or leave it out');
  }
  if (alpha !== undefined && (alpha < 0.001 || alpha > 0.999)) {
    messages.push('alpha is 0.001 to 0.999: beyond them use a single key');
  }
  return messages;
}

function contextTokens(prf: TextProfile['prf']): number {
  return 'ngramLength' in prf ? prf.ngramLength - 1 : prf.contextWidth;
}
