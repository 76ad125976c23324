import { benchTextDetection } from './text-detection.ts';
import { benchTextMarks } from './text-marks.ts';

/** What marking a token costs, and what detecting and attributing a text does. */
export async function benchText() {
  return [...(await benchTextMarks()), ...benchTextDetection()];
}
