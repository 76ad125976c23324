import type { KeyObject } from 'node:crypto';
import { digestOf } from '../../src/audit/plan.ts';
import type { DossierStatement } from '../../src/dossier/statement.ts';
import { weakestGrade } from '../../src/dossier/verify/claims.ts';
import type { Trust } from '../../src/dossier/verify/trust.ts';
import { verifyDossier } from '../../src/dossier/verify/verify.ts';
import { importPublicKey, keyIdentifier } from '../../src/keys/signing.ts';
import { nextRunEntry, runGenesis } from '../../src/ledger/run-chain.ts';
import { refusal, signedAnew, statementOf } from './mutations.ts';

/** What a false accuser starts from: a dossier that verifies, and the key that signed it. */
export interface Accuser {
  readonly text: string;
  readonly key: KeyObject;
}

type Cheat = (statement: DossierStatement) => void;
type Changeable<Value> = { -readonly [Field in keyof Value]: Value[Field] };

/** Makes plan, subject, run log and report agree again, as an insider would. */
export function madeConsistent(statement: DossierStatement): void {
  const { predicate, subject } = statement;
  const hash = digestOf(predicate.plan);
  subject[0].name = predicate.plan.suspect;
  subject[0].digest.sha256 = hash.slice('sha256:'.length);
  let head = runGenesis(hash);
  predicate.run.entries = predicate.run.entries.flatMap((entry) => {
    if (!('payload' in entry)) return [];
    const next = nextRunEntry(head, Buffer.from(entry.salt, 'hex'), entry.payload);
    head = { size: next.sequence + 1, hash: next.hash };
    return [structuredClone(next) as typeof entry];
  });
  predicate.run.head = head.hash;
  const { plan } = predicate.report as { plan: Record<string, unknown> };
  plan['hash'] = hash;
  plan['sealedAt'] = predicate.plan.sealedAt;
}

const later = (at: string, milliseconds: number) =>
  new Date(Date.parse(at) + milliseconds).toISOString();
const planOf = ({ predicate }: DossierStatement) =>
  predicate.plan as Changeable<typeof predicate.plan>;

/**
 * Attempts that must be refused outright: what was done too late or made up does not fit what was
 * sealed. `turn` varies an attempt.
 */
export const refusedCheats: Readonly<Record<string, (turn: number) => Cheat>> = {
  'late key': (turn) => (statement) => {
    const [first] = statement.predicate.log.records;
    const { servedAt } = JSON.parse(first!.payload);
    statement.predicate.epoch.createdAt = later(servedAt, 1 + turn * 1000);
  },
  'late plan': (turn) => (statement) => {
    planOf(statement).sealedAt = later(statement.predicate.createdAt, 1 + turn * 1000);
    madeConsistent(statement);
  },
  'late traps': (turn) => (statement) => {
    planOf(statement).traps = [
      {
        ...{ set: 'a'.repeat(8), root: `sha256:${'0'.repeat(64)}`, kind: 'coin', lot: turn },
        ...{ commitments: ['0'.repeat(64)], expectedBans: 1 },
      },
    ];
    madeConsistent(statement);
  },
  'ground key':
    (turn) =>
    ({ predicate }) => {
      const leaf = predicate.reveals.labelCoins![turn % predicate.reveals.labelCoins!.length]!;
      leaf.seed = leaf.seed.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    },
  'forged log':
    (turn) =>
    ({ predicate }) => {
      const record = predicate.log.records[turn % predicate.log.records.length]!;
      const payload = JSON.parse(record.payload);
      record.payload = JSON.stringify({ ...payload, label: (payload.label + 1) % 6 });
    },
  'forged clean baseline':
    (turn) =>
    ({ predicate }) => {
      const record = predicate.log.records[turn % predicate.log.records.length]!;
      const payload = JSON.parse(record.payload);
      record.payload = JSON.stringify({ ...payload, clean: payload.served });
    },
  'forged transcript':
    (turn) =>
    ({ predicate }) => {
      const entries = predicate.run.entries.flatMap((entry) => ('payload' in entry ? [entry] : []));
      const { outcome } = entries[turn % entries.length]!.payload;
      if (!('answer' in outcome)) return;
      Object.assign(outcome.answer, { label: outcome.answer.label === 'ash' ? 'oak' : 'ash' });
    },
  'best test alone':
    (turn) =>
    ({ predicate }) => {
      const evidence = predicate.findings.evidence as { log10E: number }[];
      evidence.splice(turn % evidence.length, 1);
    },
  'replayed dossier': (turn) => (statement) => {
    statement.subject[0].name = `http:https://innocent-${turn}.example/classify`;
  },
};

/** Attempts whose arithmetic is right: nothing in the file can show them, so grades must not. */
export const undetectableCheats: Readonly<Record<string, (turn: number) => Cheat>> = {
  'secret first look': (turn) => (statement) => {
    planOf(statement).audit = `00000000-0000-4000-8000-${String(turn).padStart(12, '0')}`;
    madeConsistent(statement);
  },
  'ground plan': (turn) => (statement) => {
    planOf(statement).reading = `sha256:${String(turn).padStart(64, '0')}`;
    madeConsistent(statement);
  },
  'sock puppet that asks what agrees': (turn) => (statement) => {
    planOf(statement).suspect = `http:https://innocent-${turn}.example/classify`;
    madeConsistent(statement);
  },
  'private rehearsals': (turn) => (statement) => {
    planOf(statement).rehearsals = [`rehearsal-${turn}`];
    madeConsistent(statement);
  },
};

/** Says what is wrong with how an attempt was received; undefined when it was received rightly. */
export function receivedWrongly({ text, key }: Accuser, kind: string, turn: number): unknown {
  const statement = statementOf(text);
  const refusable = refusedCheats[kind];
  (refusable ?? undetectableCheats[kind]!)(turn)(statement);
  const forged = signedAnew(statement, key);
  if (refusable !== undefined) {
    const code = refusal(forged);
    return code === 'EVIDENCE_INVALID' ? undefined : `${kind} ${turn}: ${code}`;
  }
  const trusts = trustsOf(statement);
  const { claims } = verifyDossier(forged, trusts.lawful);
  const weakest = weakestGrade(claims);
  const order = claims.find(({ claim }) => claim === 'order')!.grade;
  const fine = weakest === 'asserted' && order === 'asserted';
  return fine ? undefined : `${kind} ${turn}: ${weakest}, order ${order}`;
}

/** Everything that a cheat gets lawfully: its own key known, its log and plan witnessed, but late. */
function trustsOf({ predicate }: DossierStatement): { readonly lawful: Trust } {
  const availableSince = new Date(Date.parse(predicate.epoch.createdAt) - 1000);
  const root = predicate.plan.log.root!;
  const digests = [root, digestOf(predicate.plan), digestOf(predicate.plan).slice(7)];
  const witnessed = digests.map((digest) => ({ digest, at: new Date(predicate.plan.sealedAt) }));
  return {
    lawful: {
      ownerKey: keyIdentifier(importPublicKey(predicate.ownerKey)),
      availableSince,
      witnessed,
    },
  };
}
