import { isDeepStrictEqual } from 'node:util';
import { openEnvelope } from '../../src/dossier/envelope.ts';
import { isOnlySigned, type Path } from './mutations.ts';
import { type Received, receivedText } from './received.ts';
import type { Victim } from './victims.ts';

/**
 * What a plan may say as its owner likes, and the material that it seals and counts where no statistic
 * depends on what was changed: another plan is another audit, and no less true.
 */
const ownWords = [
  'material',
  'plan.material',
  'plan.probes',
  'plan.audit',
  'plan.budget',
  'plan.fingerprint.references',
  'plan.reading',
  'plan.rehearsals',
  'plan.sealedAt',
  'plan.stopping',
  'plan.suspect',
  'plan.protectedModel',
  'plan.assumptions',
];
const expectedOfLot = /^plan\.traps\.\d+\.expectedBans$/;

/**
 * Says how a changed dossier fared. What an insider may write anew at will, and no reader is told to
 * believe, is asserted; whatever else is accepted has passed.
 */
export function tampered({ statement }: Victim, text: string): Received {
  const found = receivedText(text);
  if (found.fate !== 'passed' || found.why !== 'accepted') return found;
  const changed = differences(statement.predicate, openEnvelope(text).statement.predicate);
  const bound = changed.filter(
    (place) => !isOwnWord(place) && !isOfTestLeftOut(statement.predicate, place),
  );
  if (changed.length > 0 && bound.length === 0) return { ...found, fate: 'asserted' };
  return { ...found, why: `accepted with ${bound.slice(0, 3).map((place) => place.join('.'))}` };
}

/** With another plan the run log starts from another hash, and the report names it. */
function isOwnWord(place: Path): boolean {
  const name = place.join('.');
  return (
    isOnlySigned(place) ||
    ownWords.some((prefix) => name === prefix || name.startsWith(`${prefix}.`)) ||
    expectedOfLot.test(name) ||
    /^run\.(head|entries\.\d+\.(hash|previous))$/.test(name) ||
    /^report\.(plan\.(hash|sealedAt)|tenant)$/.test(name)
  );
}

/** Of a test that is left out nothing is shown but what its owner says of it. */
function isOfTestLeftOut({ leftOut, findings }: Victim['statement']['predicate'], place: Path) {
  const [section, list, index] = place;
  const test = findings.evidence[Number(index)]?.test ?? '';
  return section === 'findings' && list === 'evidence' && leftOut.includes(test);
}

/** Places of leaves that differ between two values. */
function differences(one: unknown, two: unknown, path: Path = []): Path[] {
  if (isDeepStrictEqual(one, two)) return [];
  const nested = (value: unknown) => typeof value === 'object' && value !== null;
  if (!nested(one) || !nested(two)) return [path];
  const [left, right] = [one as Record<string, unknown>, two as Record<string, unknown>];
  const steps = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...steps].flatMap((step) => differences(left[step], right[step], [...path, step]));
}
