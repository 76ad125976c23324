import type { KeyObject } from 'node:crypto';
import type { AuditMaterial } from '../audit/material.ts';
import type { SealedPlan } from '../audit/plan.ts';
import {
  type ByPart,
  type MaterialPart,
  materialParts,
  partDigests,
  partTexts,
} from '../audit/stored-material.ts';
import type { Vouchers } from '../audit/vouchers.ts';
import type { ServedRecord } from '../contracts.ts';
import { inputDigest } from '../keys/canonical-input.ts';
import { CoinTree, coinLeafOf } from '../keys/coin-tree.ts';
import { purposeCommitments } from '../keys/commitment.ts';
import { derivePurposeKey } from '../keys/derivation.ts';
import { exportPublicKey, publicKeyOf } from '../keys/signing.ts';
import { type RunEntry, sealRunEntry } from '../ledger/run-chain.ts';
import type { ClassifierProfile } from '../watermark/classifier-profile.ts';
import { needsPart, needsReveal, shownTests } from './shown-tests.ts';
import {
  type DossierPredicate,
  type DossierStatement,
  type Findings,
  predicateType,
  statementType,
} from './statement.ts';

/** Everything that a dossier is made of; nothing of it is read from files here. */
export interface DossierParts {
  readonly sealed: SealedPlan;
  readonly profile: ClassifierProfile;
  /** The text of the run's material. */
  readonly materialText: string;
  readonly material: AuditMaterial;
  readonly epochKey: Uint8Array;
  readonly epoch: { readonly createdAt: string; readonly retiredAt: string | null };
  /** The probes that each test asked, by its name. */
  readonly probes: ReadonlyMap<string, readonly string[]>;
  /** The whole run log, in order. */
  readonly entries: readonly RunEntry[];
  readonly runHead: string;
  /** Proves what the dossier needs of the serving log: the seals, and these records. */
  readonly proveLog: (sequences: readonly number[]) => DossierPredicate['log'];
  readonly traps: DossierPredicate['traps'];
  readonly findings: Findings;
  /** Tests that apply and are not to be shown. */
  readonly leftOut: readonly string[];
  readonly vouchers: Vouchers;
  readonly report: DossierPredicate['report'];
  readonly createdAt: string;
  readonly signingKey: KeyObject;
}

/**
 * Puts together the statement of a dossier: the sealed plan, the used answers, and the least of
 * material, records and keys that the shown tests need to be computed again.
 */
export function buildStatement(parts: DossierParts): DossierStatement {
  const { sealed, material, entries, probes } = parts;
  const { plan, hash } = sealed;
  const tests = shownTests(plan.gives, parts.leftOut);
  const used = new Set([...tests].flatMap((test) => probes.get(test) ?? []));
  const texts = partTexts(parts.materialText);
  const shownParts = onlyParts(texts, (part) => needsPart(tests, part));
  const sequences = usedSequences(material, tests);
  return {
    _type: statementType,
    subject: [{ name: plan.suspect, digest: { sha256: hash.slice('sha256:'.length) } }],
    predicateType,
    predicate: {
      schema: 'touchmark/dossier@1',
      createdAt: parts.createdAt,
      toolkit: plan.toolkit,
      ownerKey: exportPublicKey(publicKeyOf(parts.signingKey)),
      plan,
      epoch: {
        createdAt: parts.epoch.createdAt,
        retiredAt: parts.epoch.retiredAt,
        commitments: purposeCommitments(parts.epochKey),
      },
      reveals: revealsOf(parts.epochKey, tests, material),
      profile: parts.profile as unknown as DossierPredicate['profile'],
      material: { digests: partDigests(texts), parts: shownParts },
      log: parts.proveLog(sequences),
      traps: tests.has('label-coins') ? parts.traps : [],
      run: {
        head: parts.runHead,
        entries: entries.map((entry) => (used.has(entry.payload.id) ? entry : sealRunEntry(entry))),
      },
      leftOut: [...parts.leftOut],
      findings: parts.findings,
      vouchers: parts.vouchers,
      report: parts.report,
    },
  };
}

/** Sequences of the records that tests read, ascending. */
export function usedSequences(
  { logged, coins }: AuditMaterial,
  tests: ReadonlySet<string>,
): readonly number[] {
  const read = [
    ...(needsPart(tests, 'logged') ? logged : []),
    ...(needsPart(tests, 'coins') ? coins : []),
  ].map(({ record }) => record.sequence);
  return [...new Set(read)].sort((left, right) => left - right);
}

function revealsOf(
  epochKey: Uint8Array,
  tests: ReadonlySet<string>,
  { coins, logged }: AuditMaterial,
): DossierPredicate['reveals'] {
  const keyOf = (purpose: Parameters<typeof derivePurposeKey>[1]) =>
    derivePurposeKey(epochKey, purpose);
  return {
    ...(needsReveal(tests, 'labelCoins') && {
      labelCoins: openingsOf(new CoinTree(keyOf('label-coins')), coins),
    }),
    ...(needsReveal(tests, 'perQuery') && {
      perQuery: {
        directionKey: keyOf('probability-direction').toString('hex'),
        leaves: openingsOf(new CoinTree(keyOf('probability-per-query')), logged),
      },
    }),
    ...(needsReveal(tests, 'smooth') && {
      smooth: {
        carriersKey: keyOf('probability-carriers').toString('hex'),
        signsKey: keyOf('probability-signs').toString('hex'),
      },
    }),
  };
}

/** Returns the leaves that the coins of some questions come from, ascending. */
export function neededLeaves(
  questions: readonly { readonly record: Pick<ServedRecord, 'input'> }[],
): readonly number[] {
  const leaves = new Set(questions.map(({ record }) => coinLeafOf(inputDigest(record.input))));
  return [...leaves].sort((left, right) => left - right);
}

function openingsOf(tree: CoinTree, questions: Parameters<typeof neededLeaves>[0]) {
  return neededLeaves(questions).map((leaf) => {
    const { seed, proof } = tree.opening(leaf);
    return {
      leaf,
      seed: Buffer.from(seed).toString('hex'),
      proof: proof.map((hash) => Buffer.from(hash).toString('hex')),
    };
  });
}

function onlyParts(texts: ByPart, keep: (part: MaterialPart) => boolean): ByPart {
  return Object.fromEntries(
    materialParts.flatMap((part) => {
      const text = texts[part];
      return text !== undefined && keep(part) ? [[part, text]] : [];
    }),
  );
}
