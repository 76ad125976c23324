import type { Argv } from 'yargs';
import { flags } from '../flags.ts';
import { createProgress } from '../progress.ts';
import { confirm, interruptSignal, note, print, printJson, table } from '../terminal.ts';
import { addRotate, addSchedule } from './traps-rotation.ts';

const { config, json, yes } = flags;

/** Adds `traps build`, `traps list`, `traps rotate`, `traps schedule` and `traps verify`. */
export function addTraps(program: Argv): Argv {
  return program.command('traps', 'Questions that are kept for one audit each', (group) =>
    addVerify(addSchedule(addRotate(addList(addBuild(group))))).demandCommand(
      1,
      'Say what to do: traps build, list, rotate, schedule or verify.',
    ),
  );
}

function addBuild(group: Argv): Argv {
  return group.command(
    'build',
    'Build and seal traps of one kind now',
    (command) =>
      command
        .options({
          config,
          json,
          kind: flags.kind,
          tenant: { ...flags.tenant, demandOption: false, describe: 'for coin traps: the tenant' },
          epoch: flags.epoch,
          source: flags.source,
          count: flags.count,
        })
        .example('$0 traps build --kind coin --tenant acme', "from the answers of acme's epoch")
        .example('$0 traps build --kind region --source pool --count 100', 'from inputs.traps')
        .epilogue('`traps rotate` builds what the stock lacks, of every kind.'),
    async ({ source: questions, tenant, epoch, count, ...options }) => {
      const { buildTraps } = await import('../../operations/traps/build.ts');
      const reporter = createProgress(process.stderr);
      const built = await buildTraps({
        configPath: options.config,
        kind: options.kind,
        ...(tenant !== undefined && { tenant }),
        ...(epoch !== undefined && { epoch }),
        ...(questions !== undefined && { questions }),
        ...(count !== undefined && { count }),
        now: new Date(),
        signal: interruptSignal('Sets that were sealed are in stock.'),
        progress: reporter.progress,
      }).finally(() => reporter.stop());
      for (const notice of built.notices) note(notice);
      if (built.why !== null) note(built.why);
      if (options.json) return printJson(built);
      const sets = built.sets.length === 0 ? '' : `\n${built.sets.join('\n')}`;
      await print(`built ${built.built} ${built.kind} traps; ${built.active} in stock${sets}`);
    },
  );
}

function addList(group: Argv): Argv {
  return group.command(
    'list',
    'List trap sets and what became of their lots',
    (command) =>
      command
        .options({ config, json, reveal: flags.reveal, yes })
        .example('$0 traps list', 'as a table; nothing in it is secret')
        .example('$0 traps list --reveal coin-0123456789abcdef', 'one set in clear, retired first'),
    async (options) => {
      const operations = await import('../../operations/traps/list.ts');
      const { config: configPath, reveal: set } = options;
      if (set !== undefined) {
        await confirm(`Retire ${set} for good and print its traps?`, options.yes);
        return printJson(await operations.revealTraps({ configPath, set, now: new Date() }));
      }
      const sets = await operations.listTraps({ configPath });
      if (options.json) return printJson(sets);
      const rows = sets.map((each) => [
        each.set,
        [each.tenant, each.epoch].filter(Boolean).join(' ') || '-',
        `${each.lots.active}/${each.lots.exposed}/${each.lots.retired}`,
        `${each.activeTraps}`,
        each.bansPerLot.toFixed(2),
        each.sealedAt,
      ]);
      const titles = [
        'set',
        'tenant',
        'lots active/exposed/retired',
        'traps',
        'bans/lot',
        'sealed',
      ];
      await print(table(titles, rows));
    },
  );
}

function addVerify(group: Argv): Argv {
  return group.command(
    'verify [set]',
    'Check that trap sets, their ledger and their claims are as they were written',
    (command) =>
      command
        .positional('set', { type: 'string', describe: 'one set, or builtin:NAME; all by default' })
        .options({ config, json })
        .example('$0 traps verify', 'everything')
        .example('$0 traps verify coin-0123456789abcdef', 'one set')
        .epilogue('Exit code 5 when something does not fit.'),
    async ({ set, ...options }) => {
      const operations = await import('../../operations/traps/verify.ts');
      const [, shipped] = /^builtin:(.*)$/.exec(set ?? '') ?? [];
      const found =
        shipped === undefined
          ? await operations.verifyTraps({ configPath: options.config, ...(set && { set }) })
          : await operations.verifyShippedSet(shipped);
      if (!found.valid) process.exitCode = 5;
      if (options.json) return printJson(found);
      for (const problem of found.problems) note(`problem: ${problem}`);
      const state = found.valid ? 'all fits' : 'NOT as it was written';
      await print([state, ...found.fine].join('\n'));
    },
  );
}
