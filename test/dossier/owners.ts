import type { KeyObject } from 'node:crypto';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditSuspect, type PreparedAudit, prepareAudit } from '../../src/operations/audit.ts';
import { openAudit } from '../../src/operations/audit-preparation.ts';
import { storeTrapSet } from '../../src/operations/traps/stock-writer.ts';
import type { TrapSet } from '../../src/traps/trap-set.ts';
import {
  createScene,
  labels,
  type Scene,
  sentences,
  type TestSuspect,
} from '../operations/audit-scene.ts';

/** How an audit is made, as far as its dossier shows. */
export interface AuditWay {
  readonly suspect: TestSuspect;
  readonly onlyLabels: boolean;
  /** Tests left out of the dossier. */
  readonly redact?: readonly string[];
  readonly stopping?: 'horizon' | 'threshold';
}

/** Somebody who has served and audits: a project with a log, and the keys of it. */
export interface Owner {
  readonly scene: Scene;
  readonly prepared: PreparedAudit;
  readonly key: KeyObject;
  readonly epochKey: Uint8Array;
  /** Audits, and returns the dossier's text. */
  dossier(way: AuditWay): Promise<string>;
}

/**
 * An owner whose material is small enough to be audited many times.
 *
 * @param settings changes to sections of the configuration
 * @param lots lots of coin traps, and of region traps, that are sealed after serving
 */
export async function createOwner(
  asked: number,
  settings: Readonly<Record<string, object>> = {},
  lots = 0,
): Promise<Owner> {
  const audit = { freshProbes: 12, batchSize: 40, ...settings['audit'] };
  const scene = await createScene(asked, { ...settings, audit });
  const options = scene.options('http:http://127.0.0.1:1/classify', 'none');
  if (lots > 0) await sealTraps(await openAudit(options), lots);
  const prepared = await prepareAudit(options);
  const { keyRing, project } = prepared;
  let turn = 0;
  return {
    ...{ scene, prepared },
    key: keyRing.signingKey(),
    epochKey: keyRing.epochKey('example', 'e1'),
    dossier: async ({ suspect, onlyLabels, redact = [], stopping = 'horizon' }) => {
      turn += 1;
      const name = `audit-${turn}`;
      suspect.labelsOnly = onlyLabels;
      const config = { ...project.config, audit: { ...project.config.audit, stopping } };
      const stopped = { ...prepared, project: { ...project, config } };
      await auditSuspect(stopped, { ...scene.options(suspect.http, name), redact });
      return readFileSync(join(scene.out(name), `${name}.dossier.json`), 'utf8');
    },
  };
}

/** Seals sets of two traps a lot: of the coins that fell, and of questions that nobody asked. */
async function sealTraps(opened: PreparedAudit, lots: number): Promise<void> {
  const { project, keyRing, records, log } = opened;
  const fallen = records.filter(({ marks }) => marks.coin !== undefined);
  const traps = fallen.slice(0, 2 * lots).map(({ sequence }) => ({ sequence, salt: salt() }));
  const common = {
    createdAt: new Date().toISOString(),
    expected: { bansPerLot: 0.5, surrogates: 0, measuredOn: 'nothing' },
    stealth: { areaUnderCurve: null, classifier: 'none', traps: 0, traffic: 0 },
  };
  const coins: TrapSet = {
    ...{ kind: 'coin', tenant: 'example', epoch: 'e1', ...common, source: 'log' },
    epochCommitment: keyRing.commitment('example', 'e1'),
    ...{ from: traps[0]!.sequence, through: traps.at(-1)!.sequence },
    log: { entries: log.entries, head: log.head },
    lots: pairs(traps).map((pair) => ({ traps: pair })),
  };
  const questions = sentences(2 * lots, 'region');
  const regions: TrapSet = {
    ...{ kind: 'region', ...common, source: 'pool', labels: [...labels] },
    protectedModel: { name: project.config.model.name, version: records[0]!.modelVersion },
    references: { select: [], calibrate: [], test: [] },
    lots: pairs(questions).map((pair) => ({
      traps: pair.map((input) => ({ input, label: labels[0]!, weight: 1, salt: salt() })),
      calibration: { same: [0, 1, 0], other: [0, 0, 1] },
    })),
  };
  for (const set of [coins, regions]) await storeTrapSet(project, keyRing, set, new Date());
}

function pairs<Item>(items: readonly Item[]): Item[][] {
  return Array.from({ length: Math.ceil(items.length / 2) }, (_, lot) =>
    items.slice(2 * lot, 2 * lot + 2),
  );
}

function salt(): string {
  return randomBytes(16).toString('hex');
}
