import type { Progress } from '../../../src/contracts.ts';
import { openProject, openProjectRing } from '../../../src/operations/project.ts';
import { buildTraps } from '../../../src/operations/traps/build.ts';
import { withStock } from '../../../src/operations/traps/stock-writer.ts';
import { readShippedFile } from '../../../src/store/project-files.ts';
import { openTrapSet } from '../../../src/traps/seal.ts';
import { tenant } from '../classifier/owner.ts';
import { type DemoModel, runClassifierDemo } from '../classifier/run.ts';
import type { DemoResult } from '../document.ts';
import { loadProtectedNetwork } from './protected-network.ts';

/** Audits that the owner plans with this stock; each gets one lot of coins. */
const plannedAudits = 12;

export interface TrapsDemoOptions {
  readonly seed: string;
  readonly out: string;
  readonly progress: Progress;
}

/**
 * The demonstration of the classifier with another protected model, a network of ours whose training
 * data is known, and with rotating traps: all coins of the log (a small one: none is left out for
 * stealth) in twelve lots, and the shipped region traps, which were built for this network and are five
 * lots: the first of the attacker's models get them.
 */
export async function runTrapsDemo(options: TrapsDemoOptions): Promise<DemoResult> {
  return runClassifierDemo({
    ...options,
    model: protectedNetwork(),
    attackerFirst: true,
    audit: { referencesExchangeable: true },
    settings: { traps: { coinLots: plannedAudits, coinStealth: 1 } },
    stock: (configPath) => stockTraps(configPath, options.progress),
  });
}

function protectedNetwork(): DemoModel {
  return {
    name: 'language-network',
    description: 'a network of ours on n-grams of the Universal Declaration of Human Rights',
    predict: loadProtectedNetwork(),
  };
}

async function stockTraps(configPath: string, progress: Progress): Promise<void> {
  const now = new Date();
  const signal = AbortSignal.timeout(600_000);
  await buildTraps({ configPath, kind: 'coin', tenant, now, signal, progress });
  const project = await openProject({ configPath });
  const keyRing = await openProjectRing(project);
  const name = 'traps/language-identification.json';
  const { set } = openTrapSet(await readShippedFile(name), name, undefined);
  await withStock(project, now, (writer) => writer.seal(set, keyRing, now));
}
