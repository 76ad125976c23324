import type { Argv } from 'yargs';
import { flags } from '../flags.ts';
import { interruptSignal, print, printJson, table } from '../terminal.ts';

/** Adds `doctor`. */
export function addDoctor(program: Argv): Argv {
  return program.command(
    'doctor',
    'Check the installation and the project',
    (command) =>
      command
        .options({ config: flags.config, json: flags.json })
        .example('$0 doctor', 'check the project here')
        .example(
          '$0 doctor --config audit/touchmark.yaml --json',
          'check another one, for a script',
        )
        .epilogue('Exit code 2 when a check fails.'),
    async ({ config, json }) => {
      const { examine } = await import('../../operations/doctor.ts');
      const findings = await examine({ configPath: config, signal: interruptSignal() });
      if (findings.some(({ status }) => status === 'fail')) process.exitCode = 2;
      if (json) return printJson(findings);
      const rows = findings.map(({ check, status, detail, fix }) => [
        status,
        check,
        fix === '' ? detail : `${detail.replaceAll('\n', '; ')} -> ${fix}`,
      ]);
      await print(table(['status', 'check', 'detail'], rows));
    },
  );
}
