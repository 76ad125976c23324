import { provenanceTests } from '../../src/audit/tests/registry.ts';
import type { Progress } from '../../src/contracts.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { createOwner, type Owner } from '../../test/dossier/owners.ts';
import { receivedText } from '../../test/dossier/received.ts';
import { type Victim, victimOf } from '../../test/dossier/victims.ts';
import { lookUpThief, ngramModel, type Predict, serve } from '../../test/operations/audit-scene.ts';

/** Dossiers that owners made by the rules. */
export interface HonestDossiers {
  readonly owners: readonly Owner[];
  readonly accepted: readonly Victim[];
  /** What was refused, and why. */
  readonly refused: readonly string[];
  /** How many of them have each property. */
  readonly kinds: Readonly<Record<string, number>>;
}

const serving = { watermark: { coinShare: 0.25 }, log: { checkpointEvery: 16 } };

/** Makes dossiers of several owners, in every way that changes what is shown. */
export async function honestDossiers(
  count: number,
  seed: string,
  progress: Progress,
): Promise<HonestDossiers> {
  const owners = [
    await createOwner(40, { ...serving, audit: { threshold: 1 } }),
    await createOwner(120, { ...serving, audit: { loggedProbes: 24 } }, 40),
    await createOwner(48, {
      ...serving,
      audit: {
        ...{ questionsNotChosenFromAnswers: true, referencesExchangeable: true },
        ...{ threshold: 1, loggedProbes: 40 },
      },
    }),
  ];
  const random = seededRandom(`honest ${seed}`);
  const accepted: Victim[] = [];
  const refused: string[] = [];
  const kinds: Record<string, number> = {};
  for (let turn = 0; turn < count; turn += 1) {
    const owner = owners[turn % owners.length]!;
    const suspect = await serve(suspectOf(owner, random.integer(4), `${seed} ${turn}`));
    const onlyLabels = random.integer(3) > 0;
    const names = provenanceTests.map(({ name }) => name);
    const redact = random.choose(names, random.integer(3) === 0 ? 1 + random.integer(3) : 0);
    const stopping = random.integer(2) === 0 ? 'threshold' : 'horizon';
    const text = await owner.dossier({ suspect, onlyLabels, redact, stopping });
    suspect.close();
    const { fate, why } = receivedText(text);
    const victim = fate === 'passed' ? victimOf(text, owner.key) : undefined;
    if (victim !== undefined) accepted.push(victim);
    else refused.push(`${turn}, ${stopping}, without ${redact.join(' and ') || 'nothing'}: ${why}`);
    for (const kind of victim === undefined ? ['refused'] : propertiesOf(victim)) {
      kinds[kind] = (kinds[kind] ?? 0) + 1;
    }
    progress('making honest dossiers', turn + 1, count);
  }
  return { owners, accepted, refused, kinds };
}

/** A thief, a model of the same trade, the clean model itself, or a thief that forgets the half. */
function suspectOf(owner: Owner, kind: number, seed: string): Predict {
  const thief = lookUpThief(owner.scene.served);
  const other = ngramModel(0.4, seed);
  const half = seededRandom(`half ${seed}`);
  const forgotten = new Map<string, boolean>();
  const forgetful: Predict = (question) => {
    const known = forgotten.get(question) ?? half.integer(2) === 0;
    forgotten.set(question, known);
    return known ? other(question) : thief(question);
  };
  return [thief, other, ngramModel(), forgetful][kind]!;
}

function propertiesOf({ statement: { predicate } }: Victim): string[] {
  const { plan, findings, leftOut, log, traps } = predicate;
  const early = findings.evidence.some(({ status }) => status === 'partial');
  return [
    plan.gives.includes('probabilities') ? 'probabilities' : 'labels alone',
    ...(leftOut.length > 0 ? ['tests left out'] : []),
    ...(early ? ['stopped early'] : []),
    ...(early && leftOut.length > 0 ? ['stopped early, tests left out'] : []),
    ...(traps.length > 0 ? ['lots of coin traps'] : []),
    ...(plan.traps?.some(({ kind }) => kind === 'region') ? ['lots of region traps'] : []),
    ...(log.anchor === null ? [] : ['earlier checkpoint']),
    findings.verdict,
  ];
}
