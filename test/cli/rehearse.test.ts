import { expect, it } from 'vitest';
import { rehearsalText } from '../../src/cli/commands/rehearse.ts';
import { rehearsalOf, students } from '../audit/rehearsal-data.ts';

it('shows the power curve as a table and a picture, bounds and bans never better than they are', () => {
  const rehearsal = rehearsalOf({ 300: students(0, 4, 0), 10000: students(3, 1, 12.58) });
  const lines = rehearsalText(rehearsal).split('\n');
  expect(lines).toContain('300      0 of 4  0.000     0.528    −0.5  −0.5         −0.5');
  expect(lines).toContain('10000    3 of 4  0.248     0.988    3.2   12.0         12.0');
  const [few, many] = ['  300 ', '10000 '].map(
    (start) => lines.find((line) => line.startsWith(start) && !line.includes('of'))!,
  );
  expect(few!.indexOf('o')).toBeLessThan(few!.indexOf('|'));
  expect(many!.indexOf('o')).toBeGreaterThan(many!.indexOf('|'));
  expect(many!.indexOf('|')).toBe(few!.indexOf('|'));
  expect(lines).toContain('network-64  0 of 2  1 of 2');
  expect(lines).toContain('found: 6 bans after charges of 0.50');
});

it('says that a first look gives no power', () => {
  const note = /no audit gets its power from it/;
  expect(rehearsalText(rehearsalOf({ 300: [1] }, { quick: true }))).toMatch(note);
  expect(rehearsalText(rehearsalOf({ 300: [1] }))).not.toMatch(note);
});
