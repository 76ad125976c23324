import type { Argv } from 'yargs';
import { flags } from '../flags.ts';
import { confirm, note, print, printJson, table } from '../terminal.ts';

const { config, json, tenant } = flags;

/** Adds `log verify`, `log erase` and `log export`. */
export function addLog(program: Argv): Argv {
  return program.command('log', 'The log of what was served', (group) =>
    addExport(addErase(addVerify(group))).demandCommand(
      1,
      'Say what to do: log verify, erase or export.',
    ),
  );
}

function addVerify(group: Argv): Argv {
  return group.command(
    'verify',
    'Check that the log is as it was written',
    (command) =>
      command
        .options({ config, json })
        .example('$0 log verify', 'check chain, checkpoints and payloads')
        .example('$0 log verify --json', 'for a script')
        .epilogue('Exit code 5 when it is not.'),
    async (options) => {
      const { verifyLog } = await import('../../operations/log.ts');
      const log = await verifyLog({ configPath: options.config });
      if (!log.valid) process.exitCode = 5;
      if (options.json) return printJson(log);
      for (const problem of log.problems) note(`problem: ${problem}`);
      const state = log.valid ? 'is as it was written' : 'is NOT as it was written';
      const rows = Object.entries(log.tenants).map(([name, records]) => [name, `${records}`]);
      await print(
        `${log.directory} ${state}: ${log.records} records, ${log.erased.length} erasures, ${log.checkpoints} checkpoints\n${rows.length === 0 ? '' : table(['tenant', 'records'], rows)}`,
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
        .example('$0 log erase --tenant acme', 'after a question'),
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
