import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sampleReports } from '../../scripts/report-sample.ts';
import { policySchema } from '../../src/config/policy.ts';
import { policyActions, runPolicy } from '../../src/operations/policy.ts';
import type { AuditReport } from '../../src/report/model.ts';
import { temporaryDirectory } from '../store/directory.ts';

const [match] = sampleReports as [AuditReport];
const digest = `sha256:${'5a'.repeat(32)}`;
const { signal } = new AbortController();

/** A report of this score, of which keyed evidence alone gives so many bans. */
function scored(score: number, keyedScore: number, change: object = {}): AuditReport {
  return { ...match, verdict: 'inconclusive', score, keyedScore, ...change };
}

function policyOf(section: object) {
  return policySchema.parse(section);
}

/** A command that writes its environment and its stdin to a file, and then exits with a code. */
function recorder(file: string, exitCode = 0): string[] {
  const program = `
    let told = '';
    process.stdin.on('data', (part) => { told += part; });
    process.stdin.on('end', () => {
      require('node:fs').writeFileSync(process.argv[1], JSON.stringify({ env: process.env, told }));
      process.exitCode = ${exitCode};
    });`;
  return [process.execPath, '-e', program, file];
}

describe('policyActions', () => {
  const everywhere = policyOf({
    notify: { command: ['n'] },
    restrict: { command: ['r'] },
    escalate: { command: ['e'] },
  });

  test.each([
    [1.99, 1.99, 'none', []],
    [2, 0, 'notify', ['notify']],
    [40, 3.99, 'notify', ['notify']],
    [4, 4, 'restrict', ['notify', 'restrict']],
    [5.7, 6, 'escalate', ['notify', 'restrict', 'escalate']],
  ])('a score of %d with %d keyed reaches %s', (score, keyed, tier, actions) => {
    const decision = policyActions(scored(score, keyed), everywhere);
    expect(decision.tier).toBe(tier);
    expect(decision.actions.map((action) => action.tier)).toEqual(actions);
  });

  test('what seems to be a relay is not escalated', () => {
    const relay = { ...match.relay!, finding: 'relay-likely' as const };
    expect(policyActions(scored(40, 40, { relay }), everywhere).tier).toBe('restrict');
    expect(policyActions(scored(40, 40), everywhere).tier).toBe('escalate');
  });

  test('steps without a command ask for no action, and thresholds are the owner’s', () => {
    const policy = policyOf({ restrict: { at: 9, command: ['r'] }, escalate: { at: 12 } });
    expect(policyActions(scored(8, 8), policy)).toEqual({ tier: 'notify', actions: [] });
    expect(policyActions(scored(12, 12), policy)).toEqual({
      tier: 'escalate',
      actions: [{ tier: 'restrict', kind: 'command', command: ['r'], dry: true }],
    });
  });
});

describe('runPolicy', () => {
  test('is dry unless told otherwise: it says what would be run, and runs nothing', async () => {
    const file = join(temporaryDirectory(), 'told.json');
    const policy = policyOf({ notify: { command: recorder(file) } });
    const [outcome] = await runPolicy(scored(3, 0), { policy, dossierDigest: digest, signal });
    expect(outcome).toMatchObject({ tier: 'notify', done: false, dry: true });
    expect(outcome?.says).toContain('would be run');
    expect(existsSync(file)).toBe(false);
  });

  test('tells the command what was found, and nothing else of the environment', async () => {
    const file = join(temporaryDirectory(), 'told.json');
    const policy = policyOf({ restrict: { command: recorder(file) }, dry: false });
    const suspect = { ...match.suspect, name: 'a\u0000b\u001b[2J\u202e$(touch /tmp/x)\n' };
    const outcomes = await runPolicy(scored(4.5, 4.2, { suspect }), {
      policy,
      dossierDigest: digest,
      signal,
      environment: { PATH: '/bin', HOME: '/h', LANG: 'C', TOUCHMARK_PASSPHRASE: 'sentinel' },
    });
    expect(outcomes).toMatchObject([{ tier: 'restrict', done: true, dry: false }]);
    const written = readFileSync(file, 'utf8');
    expect(written).not.toContain('sentinel');
    const { env, told } = JSON.parse(written) as { env: object; told: string };
    expect(env).toEqual({
      PATH: '/bin',
      HOME: '/h',
      LANG: 'C',
      TOUCHMARK_DOSSIER_DIGEST: digest,
      TOUCHMARK_TIER: 'restrict',
      TOUCHMARK_VERDICT: 'inconclusive',
      TOUCHMARK_SCORE: '4.2',
      TOUCHMARK_TENANT: 'acme-translate',
      TOUCHMARK_SUSPECT: 'a\\u{0}b\\u{1b}[2J\\u{202e}$(touch /tmp/x)\\u{a}',
    });
    expect(JSON.parse(told)).toMatchObject({
      schema: 'touchmark/policy-event@1',
      tier: 'restrict',
      score: 4.5,
      keyedScore: 4.2,
      dossierDigest: digest,
    });
  });

  test('a failure is told, the next step is still taken, and nothing is thrown', async () => {
    const directory = temporaryDirectory();
    const policy = policyOf({
      notify: { command: [join(directory, 'missing')] },
      restrict: { command: recorder(join(directory, 'r'), 3) },
      escalate: { command: recorder(join(directory, 'e')) },
      dry: false,
    });
    const outcomes = await runPolicy(match, { policy, dossierDigest: null, signal });
    expect(outcomes.map(({ tier, done }) => [tier, done])).toEqual([
      ['notify', false],
      ['restrict', false],
      ['escalate', true],
    ]);
    expect(outcomes[0]?.says).toContain('could not be run (ENOENT)');
    expect(outcomes[1]?.says).toContain('ended with exit code 3');
  });

  test('a command that hangs is killed with what it started, and one that reads nothing is no fault', async () => {
    const mark = join(temporaryDirectory(), 'late');
    const policy = policyOf({
      notify: { command: ['/bin/sh', '-c', `(sleep 1; echo late > ${mark}) & wait`] },
      restrict: { command: ['/bin/sh', '-c', 'exec <&-; exit 0'] },
      dry: false,
      timeoutSeconds: 0.3,
    });
    const outcomes = await runPolicy(scored(5, 5), { policy, dossierDigest: digest, signal });
    expect(outcomes.map(({ done }) => done)).toEqual([false, true]);
    expect(outcomes[0]?.says).toContain('took longer than 0.3 s');
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(existsSync(mark)).toBe(false);
  });

  test('an interruption ends what runs and starts nothing more', async () => {
    const policy = policyOf({
      notify: { command: ['/bin/sh', '-c', 'sleep 20'] },
      restrict: { command: ['/bin/sh', '-c', 'exit 0'] },
      dry: false,
    });
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 100);
    const outcomes = await runPolicy(scored(5, 5), {
      policy,
      dossierDigest: digest,
      signal: controller.signal,
    });
    expect(outcomes.map(({ says }) => /interrupted/.test(says))).toEqual([true, true]);
  });
});
