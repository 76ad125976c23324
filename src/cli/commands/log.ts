import type { Argv } from 'yargs';
import { flags } from '../flags.ts';
import { confirm, interruptSignal, note, print, printJson, table } from '../terminal.ts';

const { config, json, tenant } = flags;

const against = {
  type: 'string',
  requiresArg: true,
  describe: 'a file with a checkpoint published before, which the log must extend',
} as const;

/** Adds `log verify`, `log checkpoint`, `log prove`, `log erase`, `log prune` and `log export`. */
export function addLog(program: Argv): Argv {
  return program.command('log', 'The log of what was served', (group) =>
    addExport(addPrune(addErase(addProve(addCheckpoint(addVerify(group)))))).demandCommand(
      1,
      'Say what to do: log verify, checkpoint, prove, erase, prune or export.',
    ),
  );
}

function addVerify(group: Argv): Argv {
  return group.command(
    'verify',
    'Check that the log is as it was written',
    (command) =>
      command
        .options({ config, json, against })
        .example('$0 log verify', 'check chain, checkpoints, signatures and payloads')
        .example('$0 log verify --against published.txt', 'and that nothing before it changed')
        .example('$0 log verify --json', 'for a script')
        .epilogue('Exit code 5 when it is not.'),
    async (options) => {
      const { verifyLog } = await import('../../operations/log.ts');
      const log = await verifyLog({
        configPath: options.config,
        ...(options.against !== undefined && { against: options.against }),
      });
      if (!log.valid) process.exitCode = 5;
      if (options.json) return printJson(log);
      for (const problem of log.problems) note(`problem: ${problem}`);
      const state = log.valid ? 'is as it was written' : 'is NOT as it was written';
      const rows = Object.entries(log.tenants).map(([name, records]) => [name, `${records}`]);
      await print(
        `${log.directory} ${state}: ${log.records} records (${log.expired.records} expired), ${log.withheld} withheld, ${log.erased.length} erasures, ${log.checkpoints} checkpoints, ${log.signedCheckpoints} of them signed\n${rows.length === 0 ? '' : table(['tenant', 'records'], rows)}`,
      );
    },
  );
}

function addCheckpoint(group: Argv): Argv {
  return group.command(
    'checkpoint',
    'Print the newest signed checkpoint, exactly the bytes to publish',
    (command) =>
      command
        .options({ config, json, timestamp: flags.timestamp })
        .example('$0 log checkpoint > checkpoint.txt', 'for somebody else to keep')
        .example('$0 log checkpoint --timestamp', 'and dated by audit.timestampAuthority')
        .example('$0 log checkpoint --json', 'with the key that checks it')
        .epilogue('A log proves its order only to those who held an earlier checkpoint.'),
    async (options) => {
      const { dateCheckpoint, publishedCheckpoint } = await import(
        '../../operations/log-checkpoints.ts'
      );
      const asked = { configPath: options.config, signal: interruptSignal(), now: new Date() };
      const checkpoint = options.timestamp
        ? await dateCheckpoint(asked)
        : await publishedCheckpoint(asked);
      if (options.json) return printJson(checkpoint);
      if ('seenAt' in checkpoint) note(`dated ${checkpoint.seenAt}`);
      await print(checkpoint.note);
    },
  );
}

function addProve(group: Argv): Argv {
  return group.command(
    'prove',
    'Print the proof that the newest signed checkpoint covers an entry, as JSON',
    (command) =>
      command
        .options({
          config,
          against,
          sequence: {
            type: 'number',
            requiresArg: true,
            demandOption: true,
            describe: 'the entry, counted from 0',
          },
        })
        .example('$0 log prove --sequence 0', 'what the log began with')
        .example(
          '$0 log prove --sequence 7 --against published.txt',
          'and that the log extends it',
        ),
    async (options) => {
      const { proveLog } = await import('../../operations/log-checkpoints.ts');
      await printJson(
        await proveLog({
          configPath: options.config,
          sequence: options.sequence,
          ...(options.against !== undefined && { against: options.against }),
        }),
      );
    },
  );
}

function addErase(group: Argv): Argv {
  return group.command(
    'erase',
    "Erase a tenant's questions and answers for good; the chain still verifies",
    (command) =>
      command
        .options({ config, json, tenant, yes: flags.yes })
        .example('$0 log erase --tenant acme --yes', 'without a question')
        .example('$0 log erase --tenant acme', 'after a question')
        .epilogue(
          'The key that opens them is destroyed. Their ciphertext stays in shared files until log.retentionDays or log prune removes those.',
        ),
    async (options) => {
      const question = `Erase everything that ${options.tenant} asked and was answered? No audit can use it any more.`;
      await confirm(question, options.yes);
      const { eraseLog } = await import('../../operations/log.ts');
      const result = await eraseLog({ configPath: options.config, tenant: options.tenant });
      if (options.json) return printJson(result);
      await print(
        `erased ${result.erased} records of ${result.tenant}, whose epoch is now ${result.epoch}`,
      );
    },
  );
}

function addPrune(group: Argv): Argv {
  return group.command(
    'prune',
    'Delete old questions and answers of every tenant for good; the chain still verifies',
    (command) =>
      command
        .options({
          config,
          json,
          yes: flags.yes,
          before: {
            type: 'string',
            requiresArg: true,
            describe: 'a date: what is older goes; log.retentionDays ago without it',
          },
        })
        .example('$0 log prune', 'what is older than log.retentionDays')
        .example('$0 log prune --before 2026-01-01 --yes', 'what is from before that year')
        .epilogue(
          'Whole segments go, oldest first. Their evidence goes with them: audit epochs that have answers among them before, and rotate their keys.',
        ),
    async (options) => {
      const age = options.before === undefined ? 'log.retentionDays' : options.before;
      const question = `Delete what every tenant asked and was answered before ${age}? No audit can use it any more.`;
      await confirm(question, options.yes);
      const { pruneLog } = await import('../../operations/log.ts');
      const result = await pruneLog({
        configPath: options.config,
        now: new Date(),
        ...(options.before !== undefined && { before: options.before }),
      });
      if (options.json) return printJson(result);
      await print(
        `deleted ${result.records} records in ${result.segments} segments of ${result.directory}, from before ${result.before}`,
      );
    },
  );
}

function addExport(group: Argv): Argv {
  return group.command(
    'export',
    "Write a tenant's records in clear to a JSONL file of mode 0600",
    (command) =>
      command
        .options({ config, json, tenant, out: { ...flags.out, demandOption: true } })
        .example('$0 log export --tenant acme --out acme.jsonl', 'in served order')
        .example('$0 log verify', 'first, to know that they are as they were written'),
    async (options) => {
      const { exportLog } = await import('../../operations/log.ts');
      const written = await exportLog({
        configPath: options.config,
        tenant: options.tenant,
        out: options.out,
      });
      if (options.json) return printJson(written);
      await print(`${written.file}  ${written.records} records`);
    },
  );
}
