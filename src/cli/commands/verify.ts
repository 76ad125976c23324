import type { Argv } from 'yargs';
import { TouchmarkError } from '../../errors.ts';
import { bearerFrom } from '../bearer.ts';
import { flags } from '../flags.ts';
import { createProgress } from '../progress.ts';
import { interruptSignal, print, printJson, table } from '../terminal.ts';

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
          accept: flags.accept,
          'owner-key': flags['owner-key'],
          'available-since': flags['available-since'],
          'timestamp-authority': flags['timestamp-authority'],
          'beacon-chain': flags['beacon-chain'],
          witness: flags.witness,
          choices: flags.choices,
          reask: flags.reask,
          'suspect-bearer-env': flags['suspect-bearer-env'],
          baseline: flags.baseline,
          control: flags.control,
          share: flags.share,
          seed: flags.seed,
          reading: flags.reading,
          out: { ...flags.out, describe: 'a file to keep what was asked and answered in' },
        })
        .example('$0 verify audits/1/acme.dossier.json', 'the weakest claim first')
        .example(
          '$0 verify acme.dossier.json --require anchored --accept "first look" --available-since 2026-03-01 --witness seen.jsonl',
          'fail unless every other claim has more than the word of the owner',
        )
        .example(
          '$0 verify acme.dossier.json --reask http:https://host/classify --share .2',
          'ask the suspect yourself; only --reask, --baseline and --control use the network',
        )
        .epilogue('Exit code 5 when something does not hold, or not as firmly as --require asks.'),
    async (options) => {
      const { verify } = await import('../../operations/verify.ts');
      const { reachesGrade } = await import('../../dossier/verify/claims.ts');
      const reporter = createProgress(process.stderr);
      const asks = [options.reask, options.baseline, options.control].some(
        (each) => each !== undefined,
      );
      const bearer = bearerFrom(options.suspectBearerEnv);
      const found = await verify({
        path: options.dossier,
        authorities: (options.timestampAuthority ?? []).map(String),
        ...(options.ownerKey !== undefined && { ownerKey: options.ownerKey }),
        ...(options.availableSince !== undefined && { availableSince: options.availableSince }),
        ...(options.witness !== undefined && { witness: options.witness }),
        beaconChains: (options.beaconChain ?? []).map(String),
        ...(options.choices !== undefined && { choices: options.choices }),
        ...(asks && {
          reask: {
            share: options.share,
            controls: (options.control ?? []).map(String),
            signal: interruptSignal(),
            progress: reporter.progress,
            ...(options.reask !== undefined && { suspect: options.reask }),
            ...(bearer !== undefined && { suspectBearer: bearer }),
            ...(options.baseline !== undefined && { baseline: options.baseline }),
            ...(options.seed !== undefined && { seed: options.seed }),
            ...(options.reading !== undefined && { reading: options.reading }),
            ...(options.out !== undefined && { out: options.out }),
          },
        }),
      }).finally(() => reporter.stop());
      if (options.json) await printJson(found);
      else await print(textOf(found));
      const { require: least, accept = '' } = options;
      if (least === undefined) return;
      const accepted = accept.split(',').map((name) => name.trim());
      const weak = found.claims.filter(
        (claim) => !reachesGrade([claim], least) && !accepted.includes(claim.claim),
      );
      if (weak.length === 0) return;
      throw new TouchmarkError(
        'EVIDENCE_INVALID',
        `not ${least}: ${weak.map(({ claim }) => claim).join(', ')}`,
        {
          hint: 'each line above says what would raise its claim; --accept names those to take on trust',
        },
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
    ['way there', found.wayThere],
    ['reveals', found.reveals.length === 0 ? 'nothing' : found.reveals.join('; ')],
    ...(found.asked
      ? [
          ...askedFacts(found.asked),
          ['sample drawn by', found.asked.seed],
          ['spent by asking', `${found.asked.spent.length} questions: tell the owner`],
        ]
      : []),
  ];
  const claims = found.claims.map(({ grade, claim, because }) => [grade, claim, because]);
  return `${table(['dossier', found.file], facts)}\n${table(['grade', 'claim', 'because'], claims)}`;
}

function askedFacts({ confirms, own }: NonNullable<Found['asked']>): string[][] {
  const score = `${own.keyedScore.toFixed(1)} bans`;
  const said = confirms ? `bears out the match: ${score}` : `DOES NOT BEAR OUT the match: ${score}`;
  return confirms === null ? [] : [['your own asking', said]];
}
