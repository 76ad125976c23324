import { rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { answerKinds } from '../../scripts/hostile-suspects/answer-kinds.ts';
import { faultsIn } from '../../scripts/hostile-suspects/findings.ts';
import {
  bearer,
  openStage,
  passphrase,
  runCommand,
  type Stage,
} from '../../scripts/hostile-suspects/stage.ts';
import { transportKinds } from '../../scripts/hostile-suspects/transport-kinds.ts';
import { failureOf } from '../../src/cli/failure.ts';
import { auditSuspect, type PreparedAudit, prepareAudit } from '../../src/operations/audit.ts';
import { renderTerminal } from '../../src/report/terminal.ts';

const hostile = 'hostile';
/** A busy machine may take long. */
const patience = 240_000;

let stage: Stage;
let prepared: PreparedAudit;
beforeAll(async () => {
  stage = await openStage(150, { timeoutSeconds: 10, freshProbes: 60, batchSize: 16 });
  vi.stubEnv('TOUCHMARK_PASSPHRASE', passphrase);
  prepared = await prepareAudit(stage.scene.options('', ''));
}, patience);
afterAll(() => {
  vi.unstubAllEnvs();
  stage.close();
});
afterEach(() => rmSync(stage.scene.out(hostile), { recursive: true, force: true }));

/** Audits a suspect and says how that ended, and what is wrong with what it left. */
async function meet(address: string, resume = false) {
  const { scene, suspect, secrets, canary } = stage;
  const said = await auditSuspect(prepared, {
    ...scene.options(address, hostile),
    suspectBearer: bearer,
    resume,
  }).then(
    (report) => ({ ended: report.verdict, texts: [renderTerminal(report, { color: false }), ''] }),
    (error) => ({ ended: error.code ?? error, texts: ['', failureOf(error, true).text] }),
  );
  const traces = { secrets, canary, trapped: suspect.trapped, streams: said.texts };
  return { ended: said.ended, faults: faultsIn({ ...traces, out: scene.out(hostile) }) };
}

/** The suspect turns hostile in one of these ways after the other, with each answer. */
function turn(honest: number, ...kinds: readonly string[]): void {
  const known = { ...transportKinds, ...answerKinds(stage.canary) };
  const hostilities = kinds.map((kind) => {
    const hostility = known[kind];
    if (hostility === undefined) throw new RangeError(`there is no kind "${kind}"`);
    return hostility;
  });
  stage.suspect.turn(
    (exchange) => hostilities[exchange.number % hostilities.length]!(exchange),
    honest,
  );
}

describe('an audit whose suspect turns hostile', () => {
  it(
    'ends in a verdict, whatever labels and probabilities come',
    async () => {
      turn(
        1,
        ...['escape codes in labels', 'links and titles in labels', 'text turned round'],
        ...['markup in labels', 'a link that runs', 'shell in labels', 'lone surrogates'],
        ...['invalid UTF-8', 'the token as a label', 'the token, spelt otherwise'],
        ...['__proto__ everywhere', '__proto__ as the set of labels', 'none of our labels'],
        ...['nobody answers', 'numbers next to nothing', 'tokens beyond counting', 'names twice'],
        ...['two answers to one question', 'another order each time', 'one label six times'],
      );
      expect(await meet(stage.suspect.http)).toEqual({ ended: 'inconclusive', faults: [] });
    },
    patience,
  );

  it(
    'stops where it can be resumed, and comes to a verdict once the suspect is well',
    async () => {
      const kinds = {
        '429, Retry-After huge': 'RUN_INCOMPLETE',
        'quota exhausted': 'RUN_INCOMPLETE',
        'headers without end': 'SUSPECT_UNREACHABLE',
        'no HTTP': 'SUSPECT_UNREACHABLE',
        'redirects to another port': 'SUSPECT_ANSWER_INVALID',
        'redirects with the token in the path': 'SUSPECT_ANSWER_INVALID',
        'the token in an error': 'SUSPECT_REFUSED',
        'arrays without end': 'SUSPECT_ANSWER_INVALID',
        'infinite numbers': 'SUSPECT_ANSWER_INVALID',
        'nothing but 0': 'SUSPECT_ANSWER_INVALID',
        'a row too many': 'SUSPECT_ANSWER_INVALID',
      };
      let honest = 3;
      for (const [kind, code] of Object.entries(kinds)) {
        turn(honest, kind);
        const met = await meet(stage.suspect.http, honest < 3);
        expect({ kind, ...met }).toEqual({ kind, ended: code, faults: [] });
        honest = 1;
      }
      turn(0, '10 GB in chunks');
      const command = { address: stage.suspect.http, name: hostile, isBuilt: false };
      const { exit, said, peakMebibytes, faults } = await runCommand(stage, command, '--resume');
      expect({ exit, faults }).toEqual({ exit: 3, faults: [] });
      expect(said).toContain('over the size limit');
      expect(peakMebibytes).toBeGreaterThan(50);
      stage.suspect.turn(undefined, 0);
      expect(await meet(stage.suspect.http, true)).toEqual({ ended: 'inconclusive', faults: [] });
    },
    patience,
  );
});
