import { digestOf } from '../../src/audit/plan.ts';
import type { DossierStatement } from '../../src/dossier/statement.ts';
import type { Trust } from '../../src/dossier/verify/trust.ts';
import { importPublicKey, keyIdentifier } from '../../src/keys/signing.ts';
import { nextRunEntry, runGenesis, runHeadAfter } from '../../src/ledger/run-chain.ts';
import type { Attempt } from './received.ts';
import type { Victim } from './victims.ts';

type Cheat = (statement: DossierStatement) => void;
type Changeable<Value> = { -readonly [Field in keyof Value]: Value[Field] };

/** Makes plan, subject, run log and report agree again, as an insider would. */
export function madeConsistent(statement: DossierStatement): void {
  const { predicate, subject } = statement;
  const hash = digestOf(predicate.plan);
  subject[0].name = predicate.plan.suspect;
  subject[0].digest.sha256 = hash.slice('sha256:'.length);
  let head = runGenesis(hash);
  predicate.run.entries = predicate.run.entries.map((entry, sequence) => {
    if (!('payload' in entry)) {
      const hidden = { ...entry, sequence, previous: head.hash };
      head = runHeadAfter(head, hidden);
      return hidden;
    }
    const next = nextRunEntry(head, Buffer.from(entry.salt, 'hex'), entry.payload);
    head = { size: next.sequence + 1, hash: next.hash };
    return structuredClone(next) as typeof entry;
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
const refusedCheats: Readonly<Record<string, (turn: number) => Cheat>> = {
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
const undetectableCheats: Readonly<Record<string, (turn: number) => Cheat>> = {
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

export const editKinds: readonly string[] = [
  ...Object.keys(refusedCheats),
  ...Object.keys(undetectableCheats),
].map((kind) => `edit: ${kind}`);

/** Returns a dossier that was edited by one kind of cheat, as its reader gets it. */
export function edited({ statement, key }: Victim, name: string, turn: number): Attempt {
  const kind = name.replace('edit: ', '');
  const copy = structuredClone(statement);
  const refusable = refusedCheats[kind];
  (refusable ?? undetectableCheats[kind]!)(turn)(copy);
  return {
    ...{ statement: copy, key, trust: lawfulTrust(copy) },
    falsified: ['order', "the tenant's questions", 'first look', "the suspect's answers"],
    mustBeRefused: refusable !== undefined,
  };
}

/** Everything that a cheat gets lawfully: its own key known, its log and plan witnessed, but late. */
function lawfulTrust({ predicate }: DossierStatement): Trust {
  const availableSince = new Date(Date.parse(predicate.epoch.createdAt) - 1000);
  const root = predicate.plan.log.root!;
  const digests = [root, digestOf(predicate.plan), digestOf(predicate.plan).slice(7)];
  const witnessed = digests.map((digest) => ({ digest, at: new Date(predicate.plan.sealedAt) }));
  return {
    ownerKey: keyIdentifier(importPublicKey(predicate.ownerKey)),
    ...{ availableSince, witnessed },
  };
}
