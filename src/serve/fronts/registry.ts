import type { Answering } from '../answering.ts';
import type { Front } from '../front.ts';
import { openInferenceFront } from './open-inference.ts';
import { plainJsonFront } from './plain-json.ts';

/** The protocols that any classifier can be asked in, whatever its own is. */
export function classifierFronts(answering: Answering): readonly Front[] {
  return [plainJsonFront(answering), openInferenceFront(answering)];
}
