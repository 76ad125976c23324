import type { Argv } from 'yargs';
import { flags } from '../flags.ts';
import { confirm, note, print, printJson } from '../terminal.ts';

/** Adds `init`. */
export function addInit(program: Argv): Argv {
  return program.command(
    'init',
    'Make a new project',
    (command) =>
      command
        .options({ directory: flags.directory, yes: flags.yes, json: flags.json })
        .example('$0 init --yes', 'make one here')
        .example('$0 init --yes --directory audit', 'make one in the directory audit'),
    async ({ directory, yes, json }) => {
      await confirm(`Make a touchmark project in ${directory}?`, yes);
      const { initProject } = await import('../../operations/init.ts');
      const result = await initProject({ directory });
      if (json) return printJson(result);
      await print(result.made.join('\n'));
      note(
        `The tenant ${result.tenant} has the commitment ${result.commitment}.\nNext: set model.upstream in touchmark.yaml, put your own questions into inputs/, then run: touchmark doctor`,
      );
    },
  );
}
