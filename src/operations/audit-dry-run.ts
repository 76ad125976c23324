import { repeats } from '../audit/answer-checks.ts';
import { expectedBans } from '../audit/expected-power.ts';
import { firstOccurrences, replayAssumption } from '../audit/material.ts';
import { type Charge, charges } from '../audit/multiplicity.ts';
import { digestOf } from '../audit/plan.ts';
import type { PlannedAudit } from '../audit/rehearsal-applicability.ts';
import { provenanceTests } from '../audit/tests/registry.ts';
import { coinSequences } from '../audit/trapped-material.ts';
import type { Capability } from '../contracts.ts';
import { inputDigest } from '../keys/canonical-input.ts';
import { classifierKeys } from '../keys/classifier-keys.ts';
import { displaySpecification } from '../models/adapters/registry.ts';
import { resolveSuspect } from '../models/adapters/suspect-names.ts';
import { registeredAudits } from '../store/audit-register.ts';
import { readInputFile, toolkitVersion } from '../store/project-files.ts';
import { lotsForAudit } from '../traps/stock.ts';
import { registerPath } from './audit-looks.ts';
import {
  type AuditOptions,
  openAudit,
  type PreparedAudit,
  requireAnswers,
} from './audit-preparation.ts';
import { configuredChain } from './audit-vouching.ts';
import { requireUnreleased } from './custody.ts';
import { storedRehearsals } from './rehearse.ts';
import { readTrapStock } from './traps/claims.ts';

/** What an audit would do to a suspect of one kind, and what it may find. */
export interface ExpectedAudit {
  readonly gives: readonly Capability[];
  readonly tests: readonly string[];
  readonly questions: number;
  readonly requests: number;
  /** In the currency of audit.budget; undefined without a price. */
  readonly money: number | undefined;
  /** What rehearsals let one expect of a surrogate of all logged answers. */
  readonly power: string;
}

/** A plan that was not sealed. */
export interface DryRun {
  readonly schema: 'touchmark/audit-dry-run@1';
  readonly suspect: string;
  readonly tenant: string;
  readonly epoch: string;
  /** Distinct questions that the tenant was answered in the epoch. */
  readonly answers: number;
  readonly probes: {
    readonly logged: number;
    readonly fresh: number;
    readonly coins: number;
    readonly region: number;
  };
  /** Who would see the plan, and what would seed all that is drawn. */
  readonly timestampAuthority: string | null;
  readonly seed: string;
  readonly stopping: 'horizon' | 'threshold';
  readonly threshold: number;
  readonly charges: readonly Charge[];
  readonly budget: PreparedAudit['project']['config']['audit']['budget'];
  /** For suspects that give probabilities, and for those that give labels only. */
  readonly expected: readonly ExpectedAudit[];
}

/**
 * Says what an audit would ask, at what cost and with what power, without asking anybody, claiming
 * traps or sealing a plan.
 *
 * @throws TouchmarkError as `openAudit`; TRAPS_EXPOSED for an epoch of which a dossier was released
 */
export async function dryRun(options: AuditOptions): Promise<DryRun> {
  const opened = await openAudit(options);
  const { project, keyRing, tenant, epoch, records, profile } = opened;
  requireAnswers(opened);
  await requireUnreleased(project, tenant, epoch);
  const { audit, traps, inputs, model } = project.config;
  const suspect = displaySpecification(resolveSuspect(options.suspect, project.config.suspects));
  const distinct = firstOccurrences(records);
  const logged = Math.min(audit.loggedProbes, distinct.length);
  const pool = await readInputFile(inputs.fresh);
  const inPool = new Set(pool.map((input) => inputDigest(input).toString('base64'))).size;
  const fresh = Math.min(audit.freshProbes, inPool);
  const { coins, region } = await trapsOf(opened, distinct.slice(0, logged));
  const earlier = (await registeredAudits(registerPath(project.directory))).filter(
    (each) => each.suspect === suspect,
  );
  const charged = charges({
    tenants: keyRing.tenants().length,
    suspects: audit.suspects,
    audit: earlier.length + 1,
    coinsByStock: traps.lotsPerAudit > 0,
  });
  const rehearsals = await storedRehearsals(project);
  const planned: Omit<PlannedAudit, 'sealedAt' | 'shape'> = {
    profile: digestOf(profile),
    protectedModel: { name: model.name, version: records.at(-1)?.modelVersion ?? 'unknown' },
    tests: provenanceTests.map(({ name }) => name),
    assumptions: audit.questionsNotChosenFromAnswers ? [replayAssumption] : [],
    threshold: audit.threshold,
    multiplicity: charged.map((charge) => ({ ...charge })),
    toolkit: await toolkitVersion(),
    probes: { fresh, logged, coins },
    answers: distinct.length,
  };
  const expectedOf = (shape: 'labels' | 'probabilities'): ExpectedAudit => {
    const gives: Capability[] = shape === 'labels' ? ['labels'] : ['labels', 'probabilities'];
    const cover = Math.ceil(audit.coverPerTrap * (coins + region));
    const questions =
      (shape === 'labels' ? coins + cover : Math.max(logged, coins) + fresh) + region + repeats;
    const requests = Math.ceil((questions - 2 * repeats) / audit.batchSize) + 2 * repeats;
    const price = audit.budget.pricePerRequest;
    const power = expectedBans(rehearsals, { ...planned, shape });
    return {
      gives,
      tests: provenanceTests
        .filter(({ needs }) => needs.every((need) => gives.includes(need)))
        .map(({ name }) => name),
      questions,
      requests,
      money: price === undefined ? undefined : price * requests,
      power: power?.statement ?? 'unknown: no rehearsal applies; touchmark rehearse makes one',
    };
  };
  return {
    schema: 'touchmark/audit-dry-run@1',
    ...{ suspect, tenant, epoch },
    answers: distinct.length,
    probes: { logged, fresh, coins, region },
    timestampAuthority: audit.timestampAuthority ?? null,
    seed: seedOf((await configuredChain(project.config))?.hash),
    stopping: audit.stopping,
    threshold: audit.threshold,
    charges: charged,
    budget: audit.budget,
    expected: [expectedOf('probabilities'), expectedOf('labels')],
  };
}

function seedOf(chain: string | undefined): string {
  return chain === undefined
    ? 'a random identifier, drawn when the plan is sealed'
    : `the plan and the first round after it of the drand chain ${chain}`;
}

/** Traps that the audit would show: the next lots of the stock, or all coins where none are sealed. */
async function trapsOf(
  { project, keyRing, tenant, epoch, profile }: PreparedAudit,
  asked: PreparedAudit['records'],
): Promise<{ readonly coins: number; readonly region: number }> {
  const { lotsPerAudit } = project.config.traps;
  const stock = await readTrapStock(project);
  const sizeOf = (lots: readonly { readonly set: string; readonly lot: number }[]) =>
    lots.reduce((sum, { set, lot }) => {
      const found = stock.sets.find(({ sealed }) => sealed.set === set);
      return sum + (found?.sealed.lots[lot] ?? 0);
    }, 0);
  const coinTarget = { kind: 'coin', tenant, epoch } as const;
  const isSealed = stock.sets.some(
    ({ sealed }) => sealed.kind === 'coin' && sealed.tenant === tenant && sealed.epoch === epoch,
  );
  const { labelCoins } = classifierKeys(keyRing.epochKey(tenant, epoch));
  const regionTarget = { kind: 'region', tenant: null, epoch: null } as const;
  return {
    coins:
      isSealed || lotsPerAudit === 0
        ? sizeOf(lotsForAudit(stock, coinTarget, lotsPerAudit))
        : coinSequences(asked, labelCoins, profile.marginThreshold).size,
    region: sizeOf(lotsForAudit(stock, regionTarget, lotsPerAudit)),
  };
}
