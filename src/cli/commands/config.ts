import type { Argv } from 'yargs';
import { flags } from '../flags.ts';
import { note, print, printJson } from '../terminal.ts';

/** Adds `config check` and `config schema`. */
export function addConfig(program: Argv): Argv {
  return program.command('config', 'Check the configuration, or print its schema', (group) =>
    group
      .command(
        'check',
        'Check the configuration file',
        (command) =>
          command
            .options({ config: flags.config, json: flags.json })
            .example('$0 config check', 'check ./touchmark.yaml')
            .example(
              'TOUCHMARK_SERVE_PORT=80 $0 config check',
              'check it with a variable before it',
            ),
        async ({ config, json }) => {
          const { checkConfig } = await import('../../operations/config.ts');
          const checked = await checkConfig({ configPath: config });
          for (const name of checked.unknownVariables) {
            note(`The environment variable ${name} is no setting and does nothing.`);
          }
          if (json) return printJson(checked);
          const { path, model, tenants, overrides } = checked;
          const lines = [`${path} is valid: model ${model}, ${tenants.length} tenants`];
          for (const { setting, from } of overrides) lines.push(`${setting} comes from ${from}`);
          await print(lines.join('\n'));
        },
      )
      .command(
        'schema',
        'Print the JSON Schema of the configuration file',
        (command) =>
          command
            .example('$0 config schema > touchmark.schema.json', 'for an editor')
            .example('$0 config schema | less', 'every setting with its range and default'),
        async () => {
          const { configJsonSchema } = await import('../../config/schema.ts');
          await printJson(configJsonSchema());
        },
      )
      .demandCommand(1, 'Say what to do: config check or config schema.'),
  );
}
