import { nearest } from '../config/nearest.ts';
import { TouchmarkError } from '../errors.ts';
import { flagNames } from './flags.ts';

/** What the reader is told of an error, and the process's exit code. */
export interface Failure {
  /** Lines for stderr. */
  readonly text: string;
  readonly exitCode: number;
}

/**
 * Returns how an error ends the process: the project's own errors with message and hint, anything
 * else as a bug with exit code 1.
 *
 * @param debug shows stack traces
 */
export function failureOf(error: unknown, debug: boolean): Failure {
  const known = TouchmarkError.isInstance(error) ? error : usageError(error);
  if (known !== undefined) {
    const [first = '', ...rest] = known.message.split('\n');
    const message = [first, ...rest.map((line) => `  ${line}`)].join('\n');
    const hint = known.hint === '' ? '' : `\n  hint: ${known.hint}`;
    return {
      text: `touchmark: ${message}${hint}${debug ? `\n${stackOf(known)}` : ''}`,
      exitCode: known.exitCode,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  const advice = debug ? stackOf(error) : '  Run again with TOUCHMARK_DEBUG=1 to see where.';
  return {
    text: `touchmark: ${message}\n  This is a bug; please report it.\n${advice}`,
    exitCode: 1,
  };
}

/** What the argument parser refuses; an unknown flag comes with the flag that was likely meant. */
function usageError(error: unknown): TouchmarkError | undefined {
  if (!(error instanceof Error) || error.name !== 'YError') return undefined;
  const [, list] = /^Unknown arguments?: (.*)$/.exec(error.message) ?? [];
  if (list === undefined) {
    return new TouchmarkError('USAGE', error.message, {
      hint: 'Add --help to see what the command takes.',
    });
  }
  const words = list.split(', ');
  const unknown = words.filter(
    (word) => !words.some((other) => other !== word && camel(other) === word),
  );
  const meant = unknown.flatMap((word) => nearest(word, flagNames) ?? []);
  const known =
    meant.length === 0 ? '' : `Did you mean ${meant.map((word) => `--${word}`).join(', ')}? `;
  return new TouchmarkError('USAGE', `Unknown argument: ${unknown.join(', ')}`, {
    hint: `${known}Add --help to see what the command takes.`,
  });
}

/** The parser names an unknown flag twice, as it was written and in camel case. */
function camel(word: string): string {
  return word.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
