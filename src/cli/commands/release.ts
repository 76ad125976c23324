import type { Argv } from 'yargs';
import { flags } from '../flags.ts';
import { confirm, print, printJson } from '../terminal.ts';

/** Adds `release`. */
export function addRelease(program: Argv): Argv {
  return program.command(
    'release <dossier>',
    'Note that a dossier is handed over: its epoch is audited no more',
    (command) =>
      command
        .positional('dossier', {
          type: 'string',
          demandOption: true,
          describe: 'the file NAME.dossier.json',
        })
        .options({ config: flags.config, json: flags.json, yes: flags.yes })
        .example('$0 release audits/1/acme.dossier.json', 'before it goes to a third party')
        .epilogue('Do it before you send the file: it shows how answers of its epoch were marked.'),
    async (options) => {
      const question = `Release ${options.dossier}? No audit can be begun for its epoch afterwards.`;
      await confirm(question, options.yes);
      const { releaseDossier } = await import('../../operations/release.ts');
      const released = await releaseDossier({
        configPath: options.config,
        path: options.dossier,
      });
      if (options.json) return printJson(released);
      const shown = released.reveals.join('; ') || 'no key';
      await print(
        `${released.file} is noted as released (${released.digest}).\nIt reveals ${shown} of ${released.tenant}'s epoch ${released.epoch}: audit later epochs from now on.\n`,
      );
    },
  );
}
