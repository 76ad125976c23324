/**
 * Makes honest dossiers, changes them in every way, and accuses the innocent. Ends with code 1 when an
 * honest dossier is refused, a change is accepted, or a false claim is graded above its owner's word.
 */
import yargs from 'yargs';
import type { Progress } from '../../src/contracts.ts';
import { seededRandom } from '../../src/stats/sampling.ts';
import { edited, editKinds } from '../../test/dossier/accusers.ts';
import { byteTamperings } from '../../test/dossier/byte-tampering.ts';
import { cheat, cheats } from '../../test/dossier/cheats.ts';
import type { Accuser } from '../../test/dossier/ground.ts';
import { insiderTamperings } from '../../test/dossier/insider-tampering.ts';
import { received, receivedText } from '../../test/dossier/received.ts';
import { tampered } from '../../test/dossier/tampered.ts';
import type { Victim } from '../../test/dossier/victims.ts';
import { stderrProgress } from '../progress.ts';
import { honestDossiers } from './honest.ts';
import { puppetAudit, puppetKind } from './puppet.ts';
import { Tally } from './tally.ts';

/** A whole project with a gateway is made for one attempt in so many. */
const everyPuppet = 60;
const count = { type: 'number' } as const;
const options = await yargs(process.argv.slice(2))
  .option('dossiers', { ...count, default: 200, describe: 'honest dossiers' })
  .option('mutations', { ...count, default: 2000, describe: 'changes to them' })
  .option('accusers', { ...count, default: 300, describe: 'false accusations' })
  .option('seed', { type: 'string', default: '1', describe: 'chooses all of them' })
  .strict()
  .parse();
const progress = stderrProgress();
const begun = performance.now();
const honest = await honestDossiers(options.dossiers, options.seed, progress);
say([
  `honest dossiers: ${options.dossiers} made, ${honest.accepted.length} accepted`,
  ...Object.entries(honest.kinds).map(([kind, number]) => `  ${kind}: ${number}`),
  ...honest.refused.map((why) => `  REFUSED ${why}`),
]);
const mutations = changed(honest.accepted, progress);
say([mutations.table('mutations'), ...mutations.passed.map((each) => `PASSED ${each}`)]);
const accusations = await accused(progress);
say([
  accusations.table('false accusers'),
  ...accusations.passed.map((each) => `PASSED ${each}`),
  `${accusations.matches} of those asserted say "match", on their owner's word`,
  `${((performance.now() - begun) / 1000).toFixed(0)} s`,
]);
for (const { scene } of honest.owners) scene.close();
const wrong = honest.refused.length + mutations.passed.length + accusations.passed.length;
if (wrong > 0) process.exitCode = 1;

function say(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Two mutations in five are of bytes; the rest are an insider's. */
function changed(victims: readonly Victim[], report: Progress): Tally {
  const tally = new Tally();
  const random = seededRandom(`mutations ${options.seed}`);
  const [bytes, insider] = [byteTamperings, insiderTamperings].map((each) => Object.entries(each));
  for (let turn = 0; tally.attempts < options.mutations; turn += 1) {
    const own = turn % 5 < 2;
    const kinds = own ? bytes! : insider!;
    const place = 2 * Math.floor(turn / 5) + (turn % 5);
    const [kind, tamper] = kinds[(own ? place : place + Math.floor(turn / 5)) % kinds.length]!;
    const victim = victims[random.integer(victims.length)]!;
    const text = tamper(victim, random, victims);
    if (text === undefined || text === victim.text) continue;
    tally.add(kind, own ? receivedText(text) : tampered(victim, text));
    report('changing dossiers', tally.attempts, options.mutations);
  }
  return tally;
}

async function accused(report: Progress): Promise<Tally> {
  const tally = new Tally();
  const owner = honest.owners[0]!;
  const victim = honest.accepted.find(
    ({ key, statement: { predicate } }) =>
      key === owner.key &&
      predicate.leftOut.length === 0 &&
      !predicate.plan.gives.includes('probabilities'),
  );
  if (victim === undefined) return tally;
  const accuser: Accuser = {
    ...{ template: victim.statement, key: owner.key, epochKey: owner.epochKey },
  };
  const kinds = [...Object.keys(cheats), ...editKinds];
  for (let turn = 0; turn < options.accusers; turn += 1) {
    if (turn % everyPuppet === everyPuppet - 1) {
      tally.add(puppetKind, received(await puppetAudit(turn)));
      continue;
    }
    const kind = kinds[turn % kinds.length]!;
    const round = Math.floor(turn / kinds.length);
    const attempt = kind in cheats ? cheat(accuser, kind, round) : edited(victim, kind, round);
    tally.add(kind, received(attempt));
    report('accusing the innocent', turn + 1, options.accusers);
  }
  return tally;
}
