import { createHash } from 'node:crypto';
import { charges } from '../../src/audit/multiplicity.ts';
import { type AuditPlan, digestOf } from '../../src/audit/plan.ts';
import { provenanceTests } from '../../src/audit/tests/registry.ts';
import type { DossierStatement } from '../../src/dossier/statement.ts';
import { deriveSigningKey } from '../../src/keys/signing.ts';
import type { ClassifierProfile } from '../../src/watermark/classifier-profile.ts';
import { labels } from '../operations/audit-scene.ts';
import type { Accuser } from './ground.ts';

const none = `sha256:${'0'.repeat(64)}`;

/** A watermark small enough to be read in no time. */
const profile: ClassifierProfile = {
  schema: 'touchmark/classifier-profile@2',
  labels: [...labels],
  features: { kind: 'text', ngrams: { dimensions: 64, shortest: 1, longest: 3, seed: 7 } },
  markedClasses: [0, 2, 4],
  linearCarriers: 32,
  fourierCarriers: 32,
  bandwidth: 0.5,
  smoothStrength: 0.3,
  perQueryStrength: 0.2,
  marginThreshold: 0.08,
};

const plan: AuditPlan = {
  schema: 'touchmark/audit-plan@4',
  audit: '00000000-0000-4000-8000-000000000000',
  sealedAt: '2026-01-01T00:00:00.000Z',
  suspect: 'http:https://suspect.example/classify',
  gives: ['labels'],
  reading: none,
  tenant: 'example',
  epoch: 'e1',
  epochCommitment: none,
  profile: digestOf(profile),
  protectedModel: { name: 'trees', version: '1' },
  labels: [...labels],
  tests: provenanceTests.map(({ name }) => name),
  log: { origin: `touchmark/${'ab'.repeat(16)}`, entries: 0, head: '' },
  material: none,
  probes: { logged: 0, fresh: 0 },
  threshold: 6,
  multiplicity: charges({ tenants: 1, suspects: 1, audit: 1 }).map((charge) => ({ ...charge })),
  assumptions: [],
  beacon: null,
  toolkit: '0.0.0',
};

/** An owner who never served anybody, for dossiers that are forged: the same every time. */
export function handmadeOwner(): Accuser {
  const predicate = { plan, profile, report: { plan: {}, evidence: [] } };
  return {
    template: { predicate } as unknown as DossierStatement,
    key: deriveSigningKey(createHash('sha256').update('root').digest()),
    epochKey: createHash('sha256').update('epoch').digest(),
  };
}
