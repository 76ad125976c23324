import type { LanguageModel } from '../../../src/contracts.ts';
import { InProcessLanguageModel } from '../../../src/models/language/in-process-language-model.ts';
import type { KneserNeyModel } from '../../../src/models/language/kneser-ney.ts';
import type { NextTokenModel } from '../../../src/models/language/next-token-model.ts';
import { openTextWatermark } from '../../../src/watermark/text/watermark.ts';
import {
  asLanguageModel,
  generate,
  outputsOf,
  sceneProfile,
  trainModel,
  vocabularySize,
  wordIds,
  writeText,
} from '../../../test/audit/text-scene.ts';
import { keyFor } from './cases.ts';

/** Kinds of models that are independent of the key they are audited for. */
export type Innocent = 'independent' | "student of another key's text" | 'copies what it is shown';

export interface AuditScene {
  readonly protectedModel: KneserNeyModel;
  readonly reference: KneserNeyModel;
  /** Several models of each kind; keys take them in turn. */
  readonly suspects: Readonly<Record<Innocent, readonly LanguageModel[]>>;
}

const suspectsOfAKind = 8;
const served = { texts: 20, tokens: 200 } as const;
const certainty = 0.9;

/** Trains the protected model, a reference and the innocents. */
export async function buildAuditScene(seed: string): Promise<AuditScene> {
  const protectedModel = trainModel([writeText(`${seed}/training`, 40_000)]);
  const each = <Item>(make: (index: number) => Item) =>
    Promise.all(Array.from({ length: suspectsOfAKind }, (_, index) => make(index)));
  const students = await each(async (index) => {
    const text = await generate(
      asLanguageModel(protectedModel),
      `${seed}/unmarked ${index}`,
      served.texts,
      served.tokens,
    );
    return trainModel(outputsOf(text));
  });
  const strangers = await each(async (index) => {
    const profile = sceneProfile({ name: 'green-list', gamma: 0.25, delta: 3 });
    const watermark = openTextWatermark(profile, keyFor(profile, `${seed}/another owner ${index}`));
    const marked = asLanguageModel(protectedModel, watermark);
    const name = `${seed}/another ${index}`;
    return trainModel(outputsOf(await generate(marked, name, served.texts, served.tokens)));
  });
  return {
    protectedModel,
    reference: trainModel([writeText(`${seed}/other training`, 20_000)]),
    suspects: {
      independent: students.map((model) => asLanguageModel(model)),
      "student of another key's text": strangers.map((model) => asLanguageModel(model)),
      'copies what it is shown': students.map(copying),
    },
  };
}

/**
 * A model that learns in context: after a token that it was shown before, it mostly says what
 * followed there, as induction heads do (Olsson et al. 2022).
 */
function copying(model: NextTokenModel): LanguageModel {
  const next: NextTokenModel['next'] = (context) => {
    const plain = model.next(context);
    const last = context.length - 1;
    const before = last < 1 ? -1 : context.lastIndexOf(context[last]!, last - 1);
    if (before < 0) return plain;
    const copied = context[before + 1]!;
    const rest = 1 - certainty;
    const tokens = Array.from(plain.tokens).filter((token) => token !== copied);
    const probabilityOf = new Map(
      Array.from(plain.tokens, (token, at) => [token, plain.probabilities[at]!] as const),
    );
    const shared = plain.sharedWeight * model.shared.probabilities[copied]!;
    return {
      tokens: Int32Array.of(copied, ...tokens),
      probabilities: Float64Array.of(
        certainty + rest * (probabilityOf.get(copied) ?? shared),
        ...tokens.map((token) => rest * probabilityOf.get(token)!),
      ),
      sharedWeight: rest * plain.sharedWeight,
    };
  };
  return new InProcessLanguageModel(
    { vocabularySize, shared: model.shared, next },
    { name: 'copying', tokenizer: wordIds },
  );
}
