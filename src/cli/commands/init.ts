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
        .options({
          directory: flags.directory,
          upstream: flags.upstream,
          'served-tokenizer': flags['served-tokenizer'],
          yes: flags.yes,
          json: flags.json,
        })
        .example('$0 init --yes', 'make one here')
        .example(
          '$0 init --yes --directory stamp --upstream kserve:http://127.0.0.1:8080/v2/models/m',
          'before a classifier, in the directory stamp',
        )
        .example(
          '$0 init --yes --upstream openai:http://127.0.0.1:8000/v1 --served-tokenizer ./llama',
          'before a language model',
        ),
    async ({ directory, upstream, servedTokenizer, yes, json }) => {
      await confirm(`Make a touchmark project in ${directory}?`, yes);
      const { initProject } = await import('../../operations/init.ts');
      const result = await initProject({
        directory,
        ...(upstream !== undefined && { upstream }),
        ...(servedTokenizer !== undefined && { tokenizer: servedTokenizer }),
      });
      if (json) return printJson(result);
      await print(result.made.join('\n'));
      note(
        `The tenant ${result.tenant} has the commitment ${result.commitment}.\nNext: ${upstream === undefined ? 'set model.upstream in touchmark.yaml, ' : ''}put your own questions into inputs/, then run: touchmark doctor`,
      );
    },
  );
}
