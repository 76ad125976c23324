import { expect, it } from 'vitest';
import { failureOf, usageError } from '../../src/cli/failure.ts';
import { printable, table } from '../../src/cli/terminal.ts';
import { TouchmarkError } from '../../src/errors.ts';

it('shows a known error with its hint and its own exit code', () => {
  const error = new TouchmarkError('STORE_LOCKED', 'The log is in use.', { hint: 'Wait.' });
  expect(failureOf(error, false)).toEqual({
    text: 'touchmark: The log is in use.\n  hint: Wait.',
    exitCode: 6,
  });
});

it('calls anything else a bug, with the stack only when asked for', () => {
  const error = new RangeError('index 7');
  expect(failureOf(error, false)).toMatchObject({ exitCode: 1 });
  expect(failureOf(error, false).text).toMatch(/index 7\n {2}This is a bug.*\n.*TOUCHMARK_DEBUG=1/);
  expect(failureOf(error, false).text).not.toContain('failure.test.ts');
  expect(failureOf(error, true).text).toContain('failure.test.ts');
});

it.each([
  [
    'Unknown arguments: fail-onn, failOnn',
    ['--fail-onn=x'],
    '--fail-onn',
    'Did you mean --fail-on?',
  ],
  ['Unknown argument: kyes', ['kyes'], 'kyes', 'Did you mean keys?'],
  ['Unknown argument: tenant', ['--tenant', 'a'], '--tenant', 'Add --help'],
  ['Unknown argument: zzzzzzzz', ['zzzzzzzz'], 'zzzzzzzz', 'Add --help'],
])('explains %j', (message, given, named, hint) => {
  const error = usageError(message, given);
  expect(error.message).toBe(`Unknown argument: ${named}`);
  expect(error.hint.startsWith(hint)).toBe(true);
});

it('lets nothing through that could steer the terminal', () => {
  expect(printable('a\u001b[2J\nb\u202e')).toBe('a\\u{1b}[2J\nb\\u{202e}');
  expect(
    table(
      ['n', 'x'],
      [
        ['1', 'a\nb'],
        ['22', ''],
      ],
    ),
  ).toBe('n   x\n1   a\\u{a}b\n22\n');
});
