import { createHash, type KeyObject } from 'node:crypto';
import { judge, stopRuleOf } from '../../src/audit/judgement.ts';
import { type AuditPlan, digestOf, sealPlan } from '../../src/audit/plan.ts';
import { replayTests } from '../../src/audit/replay.ts';
import { decodeMaterial, encodeMaterial, materialDigest } from '../../src/audit/stored-material.ts';
import type { Outcome, ServedRecord } from '../../src/contracts.ts';
import { buildStatement, usedSequences } from '../../src/dossier/build.ts';
import { shownTests } from '../../src/dossier/shown-tests.ts';
import type { DossierStatement } from '../../src/dossier/statement.ts';
import { classifierKeys } from '../../src/keys/classifier-keys.ts';
import type { ChainEntry } from '../../src/ledger/chain.ts';
import { logOrigin, signLogCheckpoint } from '../../src/ledger/checkpoint-note.ts';
import { proveEntries, proveExtension } from '../../src/ledger/log-proofs.ts';
import { decodeRecord } from '../../src/ledger/payload.ts';
import { nextRunEntry, type RunEntry, runGenesis } from '../../src/ledger/run-chain.ts';
import type { ClassifierProfile } from '../../src/watermark/classifier-profile.ts';
import type { Predict } from '../operations/audit-scene.ts';
import { commitmentOf, fallen, writeLog } from './forged-log.ts';
import { withReport } from './forged-report.ts';

const day = 86_400_000;

/** What somebody who has all keys may write as it pleases. */
export interface Forgery {
  /** An honest dossier's statement: what is not said otherwise is as there. */
  readonly template: DossierStatement;
  readonly signingKey: KeyObject;
  readonly epochKey: Uint8Array;
  /** Names the log, 32 hexadecimal digits. */
  readonly identifier: string;
  readonly clean: Predict;
  readonly suspect: Predict;
  /** In served order. */
  readonly questions: readonly string[];
  readonly fresh?: readonly string[];
  readonly gives: AuditPlan['gives'];
  /** When the key was made, by the forger's clock; the rest follows within four days. */
  readonly begun: Date;
  /** Sequences whose coins are asked, from those of all records; all by default. */
  readonly coins?: (records: readonly ServedRecord[]) => readonly number[];
  readonly traps?: NonNullable<AuditPlan['traps']>;
  readonly openings?: DossierStatement['predicate']['traps'];
  readonly plan?: Partial<AuditPlan>;
  readonly leftOut?: readonly string[];
  /** The profile that is sealed and shown instead of the one that marks are made with. */
  readonly shownProfile?: ClassifierProfile;
  /** Where the seals stand: before the answers, or behind them. */
  readonly sealsLast?: boolean;
  /** Size of the earlier checkpoint that is shown. */
  readonly anchorSize?: number;
}

/** A dossier's statement, and what of it can be published. */
export interface Forged {
  readonly statement: DossierStatement;
  readonly planHash: string;
  /** Of the checkpoint that the plan names, and of the earlier one. */
  readonly roots: readonly string[];
  readonly entries: readonly ChainEntry[];
}

/** Writes log, plan, answers and dossier as an owner's machine would, from whatever it is given. */
export function forge(options: Forgery): Forged {
  const { template, epochKey, signingKey, identifier, suspect, gives, begun } = options;
  const { predicate } = template;
  const { tenant, epoch, labels } = predicate.plan;
  const profile = predicate.profile as unknown as ClassifierProfile;
  const shownProfile = options.shownProfile ?? profile;
  const after = (days: number) => new Date(begun.getTime() + days * day).toISOString();
  const commitment = commitmentOf(epochKey, tenant, epoch);
  const log = writeLog(options, profile, commitment, after);
  const records = [...log.openings.values()].map(({ sequence, payload }) =>
    decodeRecord(Buffer.from(payload), sequence),
  );
  const withProbabilities = gives.includes('probabilities');
  const material = {
    fresh: (options.fresh ?? []).map((input) => ({ input, baselines: [options.clean(input)] })),
    logged: withProbabilities
      ? records.map(({ sequence }) => ({ sequence, baselines: [], replayBaselines: [] }))
      : [],
    coins: (options.coins ?? fallen)(records),
    regionLots: [],
  };
  const materialText = encodeMaterial(material);
  const facts = log.facts(log.entries.length);
  const { fingerprint: _, traps: __, ...planned } = predicate.plan;
  const sealed = sealPlan({
    ...planned,
    ...{ gives, epochCommitment: commitment, sealedAt: after(3), beacon: null },
    ...{ stopping: 'horizon', assumptions: [], threshold: 6 },
    log: { origin: logOrigin(identifier), entries: facts.size, ...pick(facts) },
    ...{ profile: digestOf(shownProfile), labels: [...shownProfile.labels] },
    material: materialDigest(materialText),
    probes: { logged: material.logged.length, fresh: material.fresh.length },
    traps: options.traps ?? [],
    ...options.plan,
  });
  const read = decodeMaterial(materialText, {
    ...{ profile, records, keys: classifierKeys(epochKey), epochCommitment: commitment },
    ...{ questionsNotChosenFromAnswers: false, referencesExchangeable: false },
  });
  const texts = new Map(
    [...read.fresh, ...read.logged, ...read.coins].map(({ probe }) => [probe.id, probe.input]),
  );
  const answer = (id: string): Outcome => {
    const row = Array.from(suspect(String(texts.get(id))));
    const label = labels[row.indexOf(Math.max(...row))]!;
    return { answer: { label, ...(withProbabilities && { probabilities: row }) } };
  };
  const stopWhen = stopRuleOf(sealed.plan);
  const replay = replayTests(read, gives, answer, { ...(stopWhen && { stopWhen }) });
  const entries = runOf(sealed.hash, [...new Set([...replay.probes.values()].flat())], {
    answer,
    at: after(3.5),
  });
  const judged = judge(sealed.plan, replay.evidence, undefined);
  const last = usedSequences(read, shownTests(gives, options.leftOut ?? [])).at(-1) ?? 1;
  const anchorSize = options.anchorSize ?? last + 1;
  const statement = buildStatement({
    ...{ sealed, materialText, material: read, epochKey, entries, signingKey },
    profile: shownProfile,
    epoch: { createdAt: begun.toISOString(), retiredAt: null },
    probes: replay.probes,
    runHead: entries.at(-1)?.hash ?? runGenesis(sealed.hash).hash,
    proveLog: (sequences) => {
      const shown = [...new Set([...log.seals, ...sequences])].sort((one, two) => one - two);
      const { proven } = proveEntries(log.entries, shown);
      return {
        checkpoint: signLogCheckpoint(identifier, { ...facts, at: after(3) }, signingKey),
        proven: proven.map(({ entry, proof }) => ({ entry: { ...entry }, proof: [...proof] })),
        records: sequences.map((sequence) => log.openings.get(sequence)!),
        anchor: {
          checkpoint: signLogCheckpoint(
            identifier,
            { ...log.facts(anchorSize), at: after(2.5) },
            signingKey,
          ),
          consistency: [...proveExtension(log.entries, anchorSize)],
        },
      };
    },
    traps: options.openings ?? [],
    findings: JSON.parse(JSON.stringify({ ...judged, evidence: replay.evidence })),
    leftOut: options.leftOut ?? [],
    vouchers: { planToken: null, beacon: null },
    report: {},
    createdAt: after(4),
  });
  const roots = [facts.root, log.facts(anchorSize).root];
  return { statement: withReport(statement, template), planHash: sealed.hash, roots, ...log };
}

function runOf(
  planHash: string,
  ids: readonly string[],
  { answer, at }: { readonly answer: (id: string) => Outcome; readonly at: string },
): RunEntry[] {
  let head = runGenesis(planHash);
  return ids.map((id) => {
    const salt = createHash('sha256').update(id).digest().subarray(0, 16);
    const entry = nextRunEntry(head, salt, { id, at, outcome: answer(id) });
    head = { size: entry.sequence + 1, hash: entry.hash };
    return entry;
  });
}

function pick({ head, root }: { readonly head: string; readonly root: string }) {
  return { head, root };
}
