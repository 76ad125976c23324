import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type { AuditFindings } from '../audit/conduct.ts';
import type { Judgement } from '../audit/judgement.ts';
import type { AuditMaterial } from '../audit/material.ts';
import type { SealedPlan } from '../audit/plan.ts';
import type { Vouchers } from '../audit/vouchers.ts';
import { buildStatement, usedSequences } from '../dossier/build.ts';
import { dossierDigest, sealEnvelope } from '../dossier/envelope.ts';
import { shownTests } from '../dossier/shown-tests.ts';
import type { DossierPredicate, Findings } from '../dossier/statement.ts';
import { keyIdentifier, publicKeyOf } from '../keys/signing.ts';
import type { ChainEntry } from '../ledger/chain.ts';
import { signLogCheckpoint } from '../ledger/checkpoint-note.ts';
import { proveEntries, proveExtension } from '../ledger/log-proofs.ts';
import {
  earliestSignedCheckpoint,
  readChain,
  readServingLogWithOpenings,
} from '../ledger/read-log.ts';
import { type RunEntry, runGenesis } from '../ledger/run-chain.ts';
import { readRunLog } from '../ledger/run-log.ts';
import { renderJson } from '../report/json.ts';
import type { AuditReport } from '../report/model.ts';
import { writeSecureFile } from '../store/secure-file.ts';
import { trapOpenings } from '../traps/seal.ts';
import type { PreparedAudit } from './audit-preparation.ts';
import { earliestDatedCheckpoint } from './log-checkpoints.ts';
import { openStockedSet, readTrapStock, trapFolders } from './traps/stock.ts';

/** A finished audit, as far as a dossier is made of it. */
export interface FinishedAudit {
  readonly prepared: PreparedAudit;
  readonly sealed: SealedPlan;
  readonly vouchers: Vouchers;
  readonly material: AuditMaterial;
  readonly materialText: string;
  readonly findings: AuditFindings;
  readonly judgement: Judgement;
  readonly report: AuditReport;
  /** The run directory. */
  readonly directory: string;
  /** Names the file: NAME.dossier.json. */
  readonly name: string;
  /** Tests to leave out. */
  readonly leftOut: readonly string[];
  readonly now: Date;
}

/**
 * Writes the dossier of an audit beside its report, or says why there is none.
 *
 * What it reveals can be used no more once it is handed over: the coins shown, and the layers whose
 * keys it holds.
 */
export async function writeDossier(
  audit: FinishedAudit,
): Promise<NonNullable<AuditReport['dossier']> | string> {
  const { prepared, sealed, directory, material } = audit;
  const { keyRing, tenant, epoch, retiredAt, profile } = prepared;
  const chain = await readChain(prepared.project.config.log.directory);
  const seals = sealsOf(chain.entries, sealed);
  if (seals === undefined) {
    return 'No dossier was written: the serving log does not seal the key and the profile of this epoch before its answers. Epochs begun with this version do.';
  }
  const entries: RunEntry[] = [];
  for await (const { entry } of readRunLog(directory, sealed.hash)) entries.push(entry);
  const openings = await openingsOf(prepared);
  const tests = shownTests(sealed.plan.gives, audit.leftOut);
  const last = usedSequences(material, tests).at(-1) ?? seals.at(-1)!;
  const signingKey = keyRing.signingKey();
  const anchor = await anchorOf(prepared, signingKey, {
    covering: Math.max(last, seals.at(-1)!),
    within: sealed.plan.log.entries,
  });
  const { createdAt } = keyRing.epochs(tenant).find((each) => each.epoch === epoch)!;
  const statement = buildStatement({
    sealed,
    profile,
    material,
    materialText: audit.materialText,
    epochKey: keyRing.epochKey(tenant, epoch),
    epoch: { createdAt, retiredAt: retiredAt ?? null },
    probes: audit.findings.probes,
    entries,
    runHead: headOf(entries, sealed),
    proveLog: (sequences) => {
      const { entries: size, head } = sealed.plan.log;
      const planned = chain.entries.slice(0, size);
      const { root, proven } = proveEntries(planned, ascending([...seals, ...sequences]));
      const at = planned.at(-1)?.at ?? createdAt;
      return {
        checkpoint: signLogCheckpoint(chain.identifier, { size, root, head, at }, signingKey),
        proven: proven.map(({ entry, proof }) => ({ entry: { ...entry }, proof: [...proof] })),
        records: sequences.map((sequence) => openings.get(sequence)!),
        anchor:
          anchor === undefined
            ? null
            : {
                checkpoint: anchor.note,
                consistency: [...proveExtension(planned, anchor.size)],
                ...(anchor.token !== undefined && { token: anchor.token }),
              },
      };
    },
    traps: await openedLots(audit),
    findings: plain({ ...audit.judgement, evidence: audit.findings.evidence }),
    leftOut: audit.leftOut,
    vouchers: audit.vouchers,
    report: JSON.parse(renderJson(audit.report)),
    createdAt: audit.now.toISOString(),
    signingKey,
  });
  const text = sealEnvelope(statement, signingKey);
  const file = `${audit.name}.dossier.json`;
  await writeSecureFile(join(directory, file), text);
  return {
    file,
    digest: dossierDigest(text),
    keyIdentifier: keyIdentifier(publicKeyOf(signingKey)),
  };
}

/** The first checkpoint that holds all records shown: a dated one, else one that is signed only. */
async function anchorOf(
  { project }: PreparedAudit,
  signingKey: KeyObject,
  reach: { readonly covering: number; readonly within: number },
): Promise<{ readonly size: number; readonly note: string; readonly token?: string } | undefined> {
  const { directory } = project.config.log;
  const dated = await earliestDatedCheckpoint(directory, publicKeyOf(signingKey), reach);
  return dated ?? (await earliestSignedCheckpoint(directory, reach));
}

/** Where the log seals key and profile; undefined when it does not, or only after an answer. */
function sealsOf(entries: readonly ChainEntry[], { plan }: SealedPlan): number[] | undefined {
  const sealOf = (what: string, digest: string) =>
    entries.find(
      (entry) =>
        entry.kind === 'sealed' && entry.what === what && `sha256:${entry.digest}` === digest,
    )?.sequence;
  const epoch = sealOf('epoch', plan.epochCommitment);
  const profile = sealOf('profile', plan.profile);
  return epoch === undefined || profile === undefined ? undefined : ascending([epoch, profile]);
}

async function openingsOf({
  project,
  tenant,
  epoch,
}: PreparedAudit): Promise<ReadonlyMap<number, DossierPredicate['log']['records'][number]>> {
  const openings = new Map<number, DossierPredicate['log']['records'][number]>();
  const log = readServingLogWithOpenings(project.config.log.directory, { tenant, epoch });
  for await (const { record, salt, payload } of log) {
    openings.set(record.sequence, {
      sequence: record.sequence,
      salt: Buffer.from(salt).toString('hex'),
      payload: Buffer.from(payload).toString('utf8'),
    });
  }
  return openings;
}

/** What opens the commitments of the coin traps of an audit, by their place in the plan. */
async function openedLots({
  prepared,
  sealed,
}: FinishedAudit): Promise<{ lot: number; openings: string[] }[]> {
  const coinLots = (sealed.plan.traps ?? [])
    .map((lot, index) => ({ ...lot, index }))
    .filter(({ kind }) => kind === 'coin');
  if (coinLots.length === 0) return [];
  const { project, keyRing } = prepared;
  const { sets } = await readTrapStock(project);
  return Promise.all(
    coinLots.map(async ({ set: id, lot, index }) => {
      const stocked = sets.find((each) => each.sealed.set === id)!.sealed;
      const { set } = await openStockedSet(trapFolders(project), keyRing, stocked);
      return { lot: index, openings: trapOpenings(set, lot) };
    }),
  );
}

function headOf(entries: readonly RunEntry[], { hash }: SealedPlan): string {
  return entries.at(-1)?.hash ?? runGenesis(hash).hash;
}

/** Findings as JSON carries them. */
function plain(findings: Judgement & Pick<AuditFindings, 'evidence'>): Findings {
  return JSON.parse(JSON.stringify(findings));
}

function ascending(sequences: readonly number[]): number[] {
  return [...new Set(sequences)].sort((left, right) => left - right);
}
