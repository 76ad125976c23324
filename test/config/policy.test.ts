import { describe, expect, test } from 'vitest';
import { policySchema } from '../../src/config/policy.ts';

describe('policySchema', () => {
  test('left out, it only says what would be run, at 2, 4 and 6 bans', () => {
    expect(policySchema.parse(undefined)).toEqual({
      notify: { at: 2 },
      restrict: { at: 4 },
      escalate: { at: 6 },
      dry: true,
      timeoutSeconds: 30,
    });
  });

  test.each([
    ['steps that do not rise', { notify: { at: 5 } }],
    ['a command as one string', { notify: { command: 'rm -rf /' } }],
    ['an empty command', { notify: { command: [] } }],
    ['an unknown step', { ban: { at: 9 } }],
    ['no time at all', { timeoutSeconds: 0 }],
  ])('%s is refused', (_, policy) => {
    expect(policySchema.safeParse(policy).success).toBe(false);
  });
});
