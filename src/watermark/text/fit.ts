import type { Tokenizer } from '../../contracts.ts';
import { RowSet } from './row-set.ts';
import type { TokenText } from './token-pairs.ts';
import type { TextWatermark } from './watermark.ts';

/** One thing that must hold for a profile to read a text, and whether it was found to hold. */
export interface FitCheck {
  readonly check:
    | 'token ids'
    | 'vocabulary'
    | 'tokenizer'
    | 're-encoding'
    | 'prompt'
    | 'length'
    | 'repetition'
    | 'device'
    | 'layers'
    | 'key';
  readonly outcome: 'passed' | 'failed' | 'not checked';
  /** What was seen, and what it means for the result. */
  readonly detail: string;
}

/** What is known of a text besides its tokens. */
export interface TextOrigin {
  /** The prompt's length was told; otherwise the text is read as if there were none. */
  readonly promptKnown: boolean;
  /** The name of the tokenizer that made the ids, where told. */
  readonly tokenizerName?: string;
  /** The profile's tokenizer, to encode the text again. */
  readonly tokenizer?: Pick<Tokenizer, 'encode' | 'decode'>;
}

/** A text this long uses ids from all over its vocabulary. */
const tokensThatShowVocabulary = 200;
const mostRepetition = 0.5;

/**
 * Checks whether a profile fits a text: a mark that is read with another tokenizer, without its
 * prompt or with another key is not found, and that is the commonest reason for not finding one.
 * Nothing here depends on the mark, so looking at it first is no peeking.
 */
export function checkFit(
  watermark: TextWatermark,
  text: TokenText,
  origin: TextOrigin,
): readonly FitCheck[] {
  const { profile, keyIsPublic } = watermark;
  return [
    checkIds(watermark, text),
    checkVocabulary(watermark, text),
    checkTokenizerName(profile.tokenizer.name, origin.tokenizerName),
    checkEncoding(text, origin.tokenizer),
    checkPrompt(watermark, origin),
    checkLength(watermark, text),
    checkRepetition(watermark, text),
    ...checkDevice(watermark),
    keyIsPublic
      ? failed('key', 'The key is public: anybody can make this mark, and it counts nothing.')
      : passed('key', 'The key is not one that a serving stack ships.'),
  ];
}

function checkIds({ profile }: TextWatermark, { tokens }: TokenText): FitCheck {
  const { vocabularySize } = profile.tokenizer;
  const outside = tokens.filter((token) => token < 0 || token >= vocabularySize).length;
  if (outside === 0) return passed('token ids', `All ids are below ${vocabularySize}.`);
  return failed(
    'token ids',
    `${outside} of ${tokens.length} ids are outside 0 to ${vocabularySize - 1}: another tokenizer made them, or the profile names a smaller vocabulary.`,
  );
}

function checkVocabulary({ profile }: TextWatermark, { tokens }: TokenText): FitCheck {
  const { vocabularySize } = profile.tokenizer;
  if (tokens.length < tokensThatShowVocabulary) {
    return unchecked(
      'vocabulary',
      `${tokens.length} tokens are too few to tell one vocabulary from another.`,
    );
  }
  const highest = tokens.reduce((most, token) => Math.max(most, token), 0);
  if (4 * highest >= vocabularySize) {
    return passed('vocabulary', `The highest id is ${highest} of ${vocabularySize}.`);
  }
  return failed(
    'vocabulary',
    `The highest id of ${tokens.length} tokens is ${highest}, but the profile's vocabulary has ${vocabularySize}: a smaller tokenizer may have made them.`,
  );
}

function checkTokenizerName(expected: string, told: string | undefined): FitCheck {
  if (told === undefined) {
    return unchecked('tokenizer', `Nothing says that ${expected} made the ids.`);
  }
  if (told === expected) return passed('tokenizer', `The ids are said to be those of ${expected}.`);
  return failed(
    'tokenizer',
    `The ids are said to be those of ${told}, but the profile is for ${expected}.`,
  );
}

function checkEncoding(
  { tokens, promptLength }: TokenText,
  tokenizer: TextOrigin['tokenizer'],
): FitCheck {
  if (tokenizer === undefined) {
    return unchecked(
      're-encoding',
      "The profile's tokenizer is not at hand: ids that nobody encodes like that go unnoticed.",
    );
  }
  const output = Array.from(tokens.subarray(promptLength));
  let again: readonly number[];
  try {
    again = tokenizer.encode(tokenizer.decode(output));
  } catch {
    return failed('re-encoding', 'The tokenizer cannot decode these ids.');
  }
  let same = 0;
  while (same < output.length && output[same] === again[same]) same++;
  if (same === output.length && again.length === same) {
    return passed('re-encoding', 'Decoding and encoding gives the same ids.');
  }
  return failed(
    're-encoding',
    `Decoding and encoding gives other ids from output token ${same} of ${output.length} on: text that is encoded again loses the mark there.`,
  );
}

function checkPrompt({ prf }: TextWatermark, { promptKnown }: TextOrigin): FitCheck {
  if (promptKnown) return passed('prompt', 'The prompt is known, and none of it was scored.');
  const consequence =
    prf.context.reads === 'output'
      ? `the first ${prf.context.width} tokens of the output are read with other contexts than they were marked with, and a prompt within the text is scored as if it were output`
      : 'a prompt within the text is scored as if it were output, and without it the first tokens have no context';
  return unchecked(
    'prompt',
    `The prompt is not known: ${consequence}. This costs power, not validity.`,
  );
}

function checkDevice({ profile: { prf } }: TextWatermark): FitCheck[] {
  if (prf.name !== 'hugging-face') return [];
  if (prf.device === 'cpu')
    return [passed('device', 'The profile says that a CPU drew the lists.')];
  return [
    unchecked(
      'device',
      'A GPU draws other lists from the same key than a CPU, whose lists are read here: a text that was marked on a GPU looks unmarked.',
    ),
  ];
}

function checkLength({ prf }: TextWatermark, { tokens, promptLength }: TokenText): FitCheck {
  const output = Math.max(0, tokens.length - promptLength);
  const available = prf.context.reads === 'output' ? output : tokens.length;
  const needed = prf.context.padding === undefined ? prf.context.width + 1 : 1;
  if (output > 0 && available >= needed) {
    return passed('length', `${output} tokens of output, contexts of ${prf.context.width}.`);
  }
  return failed(
    'length',
    `${output} tokens of output are fewer than a context of ${prf.context.width} and one token: nothing can be scored.`,
  );
}

function checkRepetition(
  { prf, scheme }: TextWatermark,
  { tokens, promptLength }: TokenText,
): FitCheck {
  if (scheme.signed) {
    return passed('repetition', 'The occurrences of a token count together, and damped.');
  }
  const { width } = prf.context;
  const seen = new RowSet();
  let [places, repeated] = [0, 0];
  for (let position = Math.max(promptLength, width); position < tokens.length; position++) {
    if (!seen.add(tokens, position - width, width + 1)) repeated++;
    places++;
  }
  const share = places === 0 ? 0 : repeated / places;
  const detail = `${Math.round(100 * share)}% of the output repeats pairs of context and token, which count once.`;
  return share > mostRepetition ? failed('repetition', detail) : passed('repetition', detail);
}

function passed(check: FitCheck['check'], detail: string): FitCheck {
  return { check, outcome: 'passed', detail };
}

function failed(check: FitCheck['check'], detail: string): FitCheck {
  return { check, outcome: 'failed', detail };
}

function unchecked(check: FitCheck['check'], detail: string): FitCheck {
  return { check, outcome: 'not checked', detail };
}
