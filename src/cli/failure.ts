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
  if (TouchmarkError.isInstance(error)) {
    const [first = '', ...rest] = error.message.split('\n');
    const message = [first, ...rest.map((line) => `  ${line}`)].join('\n');
    const hint = error.hint === '' ? '' : `\n  hint: ${error.hint}`;
    return {
      text: `touchmark: ${message}${hint}${debug ? `\n${stackOf(error)}` : ''}`,
      exitCode: error.exitCode,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  const advice = debug ? stackOf(error) : '  Run again with TOUCHMARK_DEBUG=1 to see where.';
  return {
    text: `touchmark: ${message}\n  This is a bug; please report it.\n${advice}`,
    exitCode: 1,
  };
}

/** Names of commands, for suggestions. */
const commandNames =
  'init doctor config check schema keys generate list rotate export serve log verify erase traps build schedule fingerprints take compare audit verify rehearse report watermark embed detect attribute'.split(
    ' ',
  );

/**
 * Returns the error for arguments that the parser refused; an unknown flag or command comes with the
 * one that was likely meant.
 *
 * @param message the parser's
 * @param given the arguments as they were written
 */
export function usageError(message: string, given: readonly string[]): TouchmarkError {
  const [, list] = /^Unknown (?:arguments?|commands?): (.*)$/.exec(message) ?? [];
  const words = list?.split(', ') ?? [];
  const unknown = words.filter(
    (word) => !words.some((other) => other !== word && camel(other) === word),
  );
  const explained = unknown.map((word) => {
    const isFlag = given.some((each) => each.replace(/=.*$/s, '') === `--${word}`);
    const meant = nearest(word, isFlag ? flagNames : commandNames);
    const written = isFlag ? `--${word}` : word;
    if (meant === undefined || meant === word) return { written, advice: '' };
    return { written, advice: `Did you mean ${isFlag ? '--' : ''}${meant}? ` };
  });
  const text = explained.map(({ written }) => written).join(', ');
  return new TouchmarkError('USAGE', text === '' ? message : `Unknown argument: ${text}`, {
    hint: `${explained.map(({ advice }) => advice).join('')}Add --help to see what the command takes.`,
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
