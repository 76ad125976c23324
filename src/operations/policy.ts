import { spawn } from 'node:child_process';
import type { PolicyConfig } from '../config/policy.ts';
import { type AuditReport, keyedBans } from '../report/model.ts';
import { grouped, steadyJson, visible } from '../report/text.ts';

type Tier = AuditReport['tier'];

/** One step that a score asks for and that has a command. */
export interface PlannedAction {
  readonly tier: Exclude<Tier, 'none'>;
  readonly kind: 'command';
  readonly command: readonly string[];
  readonly dry: boolean;
}

/** What a score asks for: the highest step that it reaches, and the commands up to there. */
export interface PolicyDecision {
  readonly tier: Tier;
  readonly actions: readonly PlannedAction[];
}

/** What became of an action. */
export interface PolicyOutcome extends PlannedAction {
  readonly done: boolean;
  /** One sentence for a person. */
  readonly says: string;
}

export interface PolicyRun {
  readonly policy: PolicyConfig;
  /** SHA-256 of the dossier as `sha256:<hex>`; null while there is none. */
  readonly dossierDigest: string | null;
  readonly signal: AbortSignal;
  /** Where PATH, HOME and LANG are taken from. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const steps = ['notify', 'restrict', 'escalate'] as const;

/** What commands see of our environment: enough to find programs, and no secret. */
const passedOn = ['PATH', 'HOME', 'LANG'] as const;

/**
 * Decides what a finished audit asks for. Each step is reached at its own number of bans, after
 * multiplicity: `notify` by the score, `restrict` and `escalate` by keyed evidence alone. Every step
 * that is reached and has a command becomes an action, mildest first. What may well be a relay of our
 * own service is never escalated: it agrees without having learned anything. Pure.
 */
export function policyActions(report: AuditReport, policy: PolicyConfig): PolicyDecision {
  const keyed = keyedBans(report);
  const { relay } = report;
  const mayBeRelay = relay?.finding === 'relay-likely' || relay?.closedSince === null;
  const reached = steps.filter(
    (tier) =>
      (tier === 'notify' ? report.score : keyed) >= policy[tier].at &&
      !(mayBeRelay && tier === 'escalate'),
  );
  return {
    tier: reached.at(-1) ?? 'none',
    actions: reached.flatMap((tier) => {
      const { command } = policy[tier];
      return command === undefined
        ? []
        : [{ tier, kind: 'command' as const, command, dry: policy.dry }];
    }),
  };
}

/**
 * Does what {@link policyActions} decides, one command after another, and returns what became of
 * each. A command is run without a shell, in the current directory, with PATH, HOME, LANG and
 * TOUCHMARK_DOSSIER_DIGEST, _TIER, _VERDICT, _SCORE, _TENANT, _SUSPECT as its whole environment and
 * the same as a JSON document on stdin; what it prints is dropped. It and its children are killed
 * after `timeoutSeconds`. A failure is an outcome: nothing is thrown, and no verdict changes.
 */
export async function runPolicy(report: AuditReport, run: PolicyRun): Promise<PolicyOutcome[]> {
  const outcomes: PolicyOutcome[] = [];
  for (const action of policyActions(report, run.policy).actions) {
    const named = `${action.tier}: ${action.command.map((word) => visible(word)).join(' ')}`;
    if (action.dry) {
      outcomes.push({ ...action, done: false, says: `${named} would be run (policy.dry).` });
      continue;
    }
    const failure = await failureOf(action, report, run);
    outcomes.push({
      ...action,
      done: failure === undefined,
      says: failure === undefined ? `${named} was run.` : `${named} ${failure}.`,
    });
  }
  return outcomes;
}

/** Runs a command and returns how it failed, or undefined. */
function failureOf(
  { command, tier }: PlannedAction,
  report: AuditReport,
  { policy, dossierDigest, signal, environment = process.env }: PolicyRun,
): Promise<string | undefined> {
  if (signal.aborted) return Promise.resolve('was not run: interrupted');
  const [program = '', ...words] = command;
  const told = eventOf(report, tier, dossierDigest);
  return new Promise((resolve) => {
    const child = spawn(program, words, {
      shell: false,
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { ...kept(environment), ...variablesOf(told) },
    });
    let ended: string | undefined;
    const end = (why: string) => {
      ended ??= why;
      killGroup(child.pid);
    };
    const limit = setTimeout(
      () => end(`took longer than ${grouped(policy.timeoutSeconds)} s and was ended`),
      policy.timeoutSeconds * 1000,
    );
    const interrupt = () => end('was ended: interrupted');
    signal.addEventListener('abort', interrupt, { once: true });
    const settle = (failure: string | undefined) => {
      clearTimeout(limit);
      signal.removeEventListener('abort', interrupt);
      resolve(failure);
    };
    child.on('error', (error: NodeJS.ErrnoException) =>
      settle(`could not be run (${error.code ?? 'unknown reason'})`),
    );
    child.on('exit', (code, by) => {
      if (ended !== undefined || by !== null) settle(ended ?? `was ended by ${by}`);
      else settle(code === 0 ? undefined : `ended with exit code ${code}`);
    });
    // A command need not read what it is told.
    child.stdin.on('error', () => {});
    child.stdin.end(`${steadyJson(told)}\n`);
  });
}

/** The command leads a group of its own, so that what it started ends with it. */
function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

/** What a command is told, in words that cannot steer a terminal. */
function eventOf(report: AuditReport, tier: Tier, dossierDigest: string | null) {
  const { verdict, score, plan, tenant, suspect } = report;
  return {
    schema: 'touchmark/policy-event@1',
    tier,
    verdict,
    score,
    keyedScore: keyedBans(report),
    threshold: plan.threshold,
    tenant: visible(tenant),
    suspect: { name: visible(suspect.name), address: visible(suspect.address, 300) },
    standing: plan.standing,
    planHash: plan.hash,
    finishedAt: report.finishedAt,
    dossierDigest,
  };
}

function variablesOf(told: ReturnType<typeof eventOf>): Record<string, string> {
  return {
    TOUCHMARK_DOSSIER_DIGEST: told.dossierDigest ?? '',
    TOUCHMARK_TIER: told.tier,
    TOUCHMARK_VERDICT: told.verdict,
    TOUCHMARK_SCORE: String(told.tier === 'notify' ? told.score : told.keyedScore),
    TOUCHMARK_TENANT: told.tenant,
    TOUCHMARK_SUSPECT: told.suspect.name,
  };
}

function kept(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    passedOn.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
