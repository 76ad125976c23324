import type { Tokenizer } from '../contracts.ts';
import { detectText, type TextDetection, TextDetector } from '../watermark/text/detect.ts';
import { diagnoseProfile } from '../watermark/text/diagnose.ts';
import { checkFit, type FitCheck } from '../watermark/text/fit.ts';
import { type ReportedElsewhere, reportedElsewhere } from '../watermark/text/reported-elsewhere.ts';
import type { TextKey } from '../watermark/text/text-key.ts';
import type { TextWatermark } from '../watermark/text/watermark.ts';
import { type FitSummary, FitTally } from './fit-tally.ts';
import { type FailedLine, idOf, type LineStream, lineError, mapJsonLines } from './json-lines.ts';
import { mostRememberedPairs, RememberedPairs } from './remembered-pairs.ts';
import { type LineText, readText } from './watermark-line.ts';
import { openWatermark, type WatermarkOptions } from './watermark-open.ts';

/** What one text says of the key, and how well the profile fits it. */
export interface DetectedText extends Omit<TextDetection, 'texts' | 'total'> {
  readonly line: number;
  readonly id?: string | number;
  /** What counts as evidence: log10E, or 0 where the key is everybody's or several tenants share it. */
  readonly bans: number;
  /** Those that passed come without their detail. */
  readonly checks: readonly BriefCheck[];
  /** What the stack that defines the profile's function prints for the same text. */
  readonly reportedElsewhere?: ReportedElsewhere;
  /** How the text reads under neighbours of the profile, the most telling first; no evidence. */
  readonly neighbours?: readonly { readonly change: string; readonly log10P: number }[];
}

type BriefCheck = Pick<FitCheck, 'check' | 'outcome'> & { readonly detail?: string };

const neighboursShown = 3;

/** What all texts together say of the key; pairs that occur in several texts count once. */
export interface DetectedTexts extends Omit<TextDetection, 'skipped' | 'total'> {
  readonly skipped: Readonly<Record<string, number>>;
  /** What counts as evidence: log10E, or 0 where the key is everybody's or several tenants share it. */
  readonly bans: number;
  readonly checks: readonly FitSummary[];
  /** Lines that were no texts; they are not part of the result. */
  readonly failedLines: number;
}

/** Tests texts one by one, each from its line alone; see `readText` for the lines. */
export async function* detectLines(
  stream: LineStream & { readonly fit: FitTally },
  options: WatermarkOptions & { readonly diagnose?: boolean },
): AsyncGenerator<readonly (DetectedText | FailedLine)[]> {
  const { watermark, key, tokenizer } = await openWatermark(options);
  const diagnosed = options.diagnose === true && key !== undefined ? key : undefined;
  yield* mapJsonLines(stream, (value, line) => {
    const given = readText(value, tokenizer);
    const checks = detectionChecks(watermark, given, tokenizer);
    stream.fit.add(checks);
    const { texts: _texts, total: _total, ...detection } = detectText(watermark, given.text);
    const elsewhere = reportedElsewhere(watermark, given.text);
    return {
      line,
      ...idOf(value),
      ...detection,
      bans: countedBans(watermark, detection),
      checks: checks.map(({ check, outcome, detail }) =>
        outcome === 'passed' ? { check, outcome } : { check, outcome, detail },
      ),
      ...(elsewhere && { reportedElsewhere: elsewhere }),
      ...(diagnosed && { neighbours: neighboursOf(watermark, diagnosed, given) }),
    };
  });
}

/**
 * Tests all texts of a stream as one sample, in bounded memory; see `RememberedPairs`.
 *
 * @param onFailure told of lines that are no texts, as they come
 * @throws TouchmarkError INPUT_INVALID when there is no text at all
 */
export async function detectTogether(
  stream: LineStream,
  options: WatermarkOptions & {
    readonly onFailure: (failure: FailedLine) => void;
    readonly mostPairs?: number;
  },
): Promise<DetectedTexts> {
  const { watermark, tokenizer } = await openWatermark(options);
  const detector = new TextDetector(watermark);
  const fit = new FitTally();
  const memory = new RememberedPairs(
    options.mostPairs ?? mostRememberedPairs,
    () => detector.detection().scored,
  );
  await foldTexts(stream, tokenizer, options.onFailure, (given) => {
    fit.add(detectionChecks(watermark, given, tokenizer));
    if (memory.admits(given.text.tokens.length)) detector.fold(given.text);
  });
  const { total: _total, skipped, ...detection } = detector.detection();
  return {
    ...detection,
    skipped: { ...skipped, ...(memory.leftOut > 0 && { 'memory full': memory.leftOut }) },
    bans: countedBans(watermark, detection),
    checks: fit.summaries,
    failedLines: stream.counts.failed,
  };
}

function countedBans(
  { keyIsPublic, profile }: TextWatermark,
  { log10E }: Pick<TextDetection, 'log10E'>,
): number {
  return keyIsPublic || profile.tenants !== undefined ? 0 : log10E;
}

const sharedLayers: FitCheck = {
  check: 'layers',
  outcome: 'failed',
  detail:
    'All tenants of the epoch share a part of this mark: the result says that a text may be ours, never whose. It counts nothing; watermark attribute --accuse tests tenants by their own keys.',
};

/** The checks of a detection, whose key must be one tenant's alone. */
function detectionChecks(
  watermark: TextWatermark,
  given: LineText,
  tokenizer: Tokenizer | undefined,
): readonly FitCheck[] {
  const checks = checksOf(watermark, given, tokenizer);
  return watermark.profile.tenants ? [...checks, sharedLayers] : checks;
}

/** Folds every text of a stream. @throws TouchmarkError INPUT_INVALID when there is none */
export async function foldTexts(
  stream: LineStream,
  tokenizer: Tokenizer | undefined,
  onFailure: (failure: FailedLine) => void,
  fold: (text: LineText) => void,
): Promise<void> {
  const none = {};
  const work = (value: unknown) => {
    fold(readText(value, tokenizer));
    return none;
  };
  for await (const batch of mapJsonLines(stream, work)) {
    for (const each of batch) if ('error' in each) onFailure(each);
  }
  if (stream.counts.lines > stream.counts.failed) return;
  throw lineError(
    stream.counts.lines === 0 ? 'There was no line to read.' : 'No line holds a text.',
    'Give JSON lines on stdin or with --in, such as {"tokens": [1, 2, 3], "promptLength": 1}.',
  );
}

function neighboursOf(
  { profile }: TextWatermark,
  key: TextKey,
  { text }: LineText,
): NonNullable<DetectedText['neighbours']> {
  return diagnoseProfile(profile, key, text)
    .slice(0, neighboursShown)
    .map(({ change, log10P }) => ({ change, log10P }));
}

/** Checks whether the profile fits a line's text; see `checkFit`. */
export function checksOf(
  watermark: TextWatermark,
  { text, promptKnown, tokenizerName }: LineText,
  tokenizer: Tokenizer | undefined,
): readonly FitCheck[] {
  return checkFit(watermark, text, {
    promptKnown,
    ...(tokenizerName !== undefined && { tokenizerName }),
    ...(tokenizer && { tokenizer }),
  });
}
