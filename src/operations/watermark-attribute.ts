import {
  type AttributionFindings,
  openReaders,
  type ReaderOptions,
} from './attribution-readers.ts';
import { type FitSummary, FitTally } from './fit-tally.ts';
import type { FailedLine, LineStream } from './json-lines.ts';
import { mostRememberedPairs, RememberedPairs } from './remembered-pairs.ts';
import { checksOf, foldTexts } from './watermark-detect.ts';
import { findTokenizer, readTextProfile } from './watermark-open.ts';

/** Whose texts they may be, and how the texts come. */
export interface AttributeOptions extends ReaderOptions {
  readonly profilePath: string;
  readonly tokenizerFolder?: string;
  /** Told of lines that are no texts, as they come. */
  readonly onFailure: (failure: FailedLine) => void;
  readonly mostPairs?: number;
}

/** What texts say of the tenants of a key ring. */
export interface Attribution extends AttributionFindings {
  readonly texts: number;
  /** Tokens of texts that came after the memory was full. */
  readonly leftOut: number;
  readonly checks: readonly FitSummary[];
  readonly failedLines: number;
}

/**
 * Attributes texts to the tenants of a key ring: a profile with `tenants` screens them all by the
 * epoch's common key, and `accuse` tests tenants by their own keys, every epoch that can have marked
 * the texts. Under a profile without `tenants` each tenant is tested by its own keys only.
 *
 * @throws TouchmarkError USAGE when nothing is asked, or a key is missing; TENANT_UNKNOWN;
 *   INPUT_INVALID when there is no text; and as `openWatermark`
 */
export async function attributeTexts(
  stream: LineStream,
  options: AttributeOptions,
): Promise<Attribution> {
  const profile = await readTextProfile(options.profilePath);
  const tokenizer = await findTokenizer(profile, options.tokenizerFolder);
  const readers = await openReaders(profile, options);
  const fit = new FitTally();
  const memory = new RememberedPairs(options.mostPairs ?? mostRememberedPairs, readers.remembered);
  let texts = 0;
  await foldTexts(stream, tokenizer, options.onFailure, (given) => {
    texts++;
    fit.add(checksOf(readers.watermark, given, tokenizer));
    if (!memory.admits(given.text.tokens.length)) return;
    for (const part of readers.parts) part.fold(given.text);
  });
  return {
    texts,
    ...readers.report(),
    leftOut: memory.leftOut,
    checks: fit.summaries,
    failedLines: stream.counts.failed,
  };
}
