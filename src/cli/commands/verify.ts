import type { Argv } from 'yargs';
import { TouchmarkError } from '../../errors.ts';
import { flags } from '../flags.ts';
import { print, printJson, table } from '../terminal.ts';

/** Adds `verify`. */
export function addVerify(program: Argv): Argv {
  return program.command(
    'verify <dossier>',
    'Check a dossier line by line, offline, and say what each claim rests on',
    (command) =>
      command
        .positional('dossier', {
          type: 'string',
          demandOption: true,
          describe: 'the file NAME.dossier.json',
        })
        .options({
          json: flags.json,
          require: flags.require,
          'owner-key': flags['owner-key'],
          'available-since': flags['available-since'],
          'timestamp-authority': flags['timestamp-authority'],
          witness: flags.witness,
        })
        .example('$0 verify audits/1/acme.dossier.json', 'the weakest claim first')
        .example(
          '$0 verify acme.dossier.json --require anchored --available-since 2026-03-01 --witness seen.jsonl',
          'fail unless every claim is anchored or recomputed',
        )
        .epilogue('Exit code 5 when something does not hold, or not as firmly as --require asks.'),
    async (options) => {
      const { verify } = await import('../../operations/verify.ts');
      const { reachesGrade } = await import('../../dossier/verify/claims.ts');
      const found = await verify({
        path: options.dossier,
        authorities: (options.timestampAuthority ?? []).map(String),
        ...(options.ownerKey !== undefined && { ownerKey: options.ownerKey }),
        ...(options.availableSince !== undefined && { availableSince: options.availableSince }),
        ...(options.witness !== undefined && { witness: options.witness }),
      });
      if (options.json) await printJson(found);
      else await print(textOf(found));
      const { require: least } = options;
      if (least === undefined || reachesGrade(found.claims, least)) return;
      const weak = found.claims.filter((claim) => !reachesGrade([claim], least));
      throw new TouchmarkError(
        'EVIDENCE_INVALID',
        `${weak.length} claims are not ${least}: ${weak.map(({ claim }) => claim).join(', ')}`,
        { hint: 'each line above says what would raise its claim' },
      );
    },
  );
}

type Found = Awaited<ReturnType<typeof import('../../operations/verify.ts')['verify']>>;

function textOf(found: Found): string {
  const facts = [
    ['weakest claim', found.weakest],
    [
      'verdict',
      `${found.verdict} (${found.keyedScore.toFixed(1)} bans of keyed evidence, threshold ${found.threshold})`,
    ],
    ['suspect', found.suspect],
    ['protected model', found.protectedModel],
    ['tenant, epoch', `${found.tenant}, ${found.epoch}`],
    ['signed by', found.keyIdentifier],
    ['digest', found.digest],
    ['reveals', found.reveals.length === 0 ? 'nothing' : found.reveals.join('; ')],
  ];
  const claims = found.claims.map(({ grade, claim, because }) => [grade, claim, because]);
  return `${table(['dossier', found.file], facts)}\n${table(['grade', 'claim', 'because'], claims)}`;
}
