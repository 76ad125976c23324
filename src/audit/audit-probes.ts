import type { Capability, Probe } from '../contracts.ts';
import { seededRandom } from '../stats/sampling.ts';
import type { ConductOptions } from './conduct.ts';
import { expectedQuestions } from './fingerprinting/classifier-taking.ts';
import type { AuditMaterial } from './material.ts';

/** Probes of each test that are asked ahead at a time. */
const block = 512;

/** About how many different probes the tests of an audit have. */
export function expectedProbes(material: AuditMaterial, gives: readonly Capability[]): number {
  const { fresh, logged, coins } = material;
  const asked = gives.includes('probabilities') ? [...fresh, ...logged] : [];
  return (
    new Set([...asked, ...coins].map(({ probe }) => probe.id)).size +
    regionProbes(material) +
    fingerprintProbes(material)
  );
}

/** What the tests ask whatever is answered: a block of each, then the next block of each. */
export function probesAhead(
  { fresh, logged, coins, regionLots }: AuditMaterial,
  gives: readonly Capability[],
): readonly Probe[] {
  const twinned = logged.filter(({ replayBaselines }) => replayBaselines !== undefined);
  const questions = [
    ...(gives.includes('probabilities') ? [[...fresh, ...logged], twinned] : []),
    coins,
  ].map((asked) => asked.map(({ probe }) => probe));
  const lists = [...questions, regionLots.flatMap(({ probes }) => probes)];
  const blocks = Math.ceil(Math.max(...lists.map(({ length }) => length)) / block);
  return Array.from({ length: blocks }, (_, at) =>
    lists.flatMap((list) => list.slice(at * block, (at + 1) * block)),
  ).flat();
}

/**
 * Chooses ordinary questions to hide traps among: fresh ones, and logged ones without a coin. A
 * suspect that gives probabilities is asked all of those anyway.
 */
export function coverProbes({
  material,
  gives,
  disguise,
}: Pick<ConductOptions, 'material' | 'gives' | 'disguise'>): readonly Probe[] {
  if (gives.includes('probabilities')) return [];
  const coins = new Set(material.coins.map(({ probe }) => probe.id));
  const ordinary = [...material.fresh, ...material.logged]
    .map(({ probe }) => probe)
    .filter(({ id }) => !coins.has(id));
  const wanted = Math.ceil(disguise.coverPerTrap * (coins.size + regionProbes(material)));
  return seededRandom(`${disguise.seed}/cover`).choose(ordinary, Math.min(wanted, ordinary.length));
}

/** Questions that may be asked twice: no traps, and no coins, which a second look could wear out. */
export function repeatable({ fresh }: AuditMaterial, cover: readonly Probe[]): readonly Probe[] {
  const distinct = new Map(
    [...fresh.map(({ probe }) => probe), ...cover].map((each) => [each.id, each]),
  );
  return [...distinct.values()].filter(({ id }) => id.startsWith('fresh/'));
}

function fingerprintProbes({ fingerprint }: AuditMaterial): number {
  return fingerprint ? expectedQuestions(fingerprint.probes) : 0;
}

function regionProbes({ regionLots }: AuditMaterial): number {
  return regionLots.reduce((sum, { probes }) => sum + probes.length, 0);
}
