import type { Argv } from 'yargs';
import { keyFormats } from '../../operations/key-formats.ts';
import { flags } from '../flags.ts';
import { note, print, printJson, table } from '../terminal.ts';

const { config, json, tenant } = flags;
const restart = 'A gateway that runs learns of this when it is started again.';

/** Adds `keys generate`, `keys list`, `keys rotate` and `keys export`. */
export function addKeys(program: Argv): Argv {
  return program.command('keys', 'Tenants, their epochs and keys', (group) =>
    addExport(addRotate(addList(addGenerate(group)))).demandCommand(
      1,
      'Say what to do: keys generate, list, rotate or export.',
    ),
  );
}

function addGenerate(group: Argv): Argv {
  return group.command(
    'generate',
    'Add a tenant: an epoch, an API key and its line in the configuration',
    (command) =>
      command
        .options({ config, json, tenant })
        .example('$0 keys generate --tenant acme', 'the API key goes into a file of mode 0600')
        .example(
          '$0 keys generate --tenant acme --json',
          'with the commitment to publish, as JSON',
        ),
    async (options) => {
      const { generateKey } = await import('../../operations/keys.ts');
      const made = await generateKey({ configPath: options.config, tenant: options.tenant });
      if (made.newRing !== null) note(`There was no key ring ${made.newRing}; it was made.`);
      note(restart);
      if (options.json) return printJson(made);
      const line = `- { id: ${made.tenant}, apiKeySha256: ${made.apiKeySha256} }`;
      await print(
        `API key     ${made.apiKeyFile}\nepoch       ${made.epoch}\ncommitment  ${made.commitment}\nadded       ${line}`,
      );
    },
  );
}

function addList(group: Argv): Argv {
  return group.command(
    'list',
    'List tenants and epochs with their public commitments',
    (command) =>
      command
        .options({ config, json })
        .example('$0 keys list', 'as a table')
        .example('$0 keys list --json > commitments.json', 'to publish them'),
    async (options) => {
      const { listKeys } = await import('../../operations/keys.ts');
      const epochs = await listKeys({ configPath: options.config });
      if (options.json) return printJson(epochs);
      const rows = epochs.map((each) => [
        each.tenant,
        each.epoch,
        each.createdAt,
        each.closedAt ?? 'in use',
        each.commitment,
      ]);
      await print(table(['tenant', 'epoch', 'created', 'closed', 'commitment'], rows));
    },
  );
}

function addRotate(group: Argv): Argv {
  return group.command(
    'rotate',
    "Begin a tenant's next epoch and close the one in use",
    (command) =>
      command
        .options({ config, json, tenant })
        .example('$0 keys rotate --tenant acme', 'before an audit of what acme was answered')
        .example('$0 keys rotate --tenant acme --json', 'with the commitment to publish, as JSON'),
    async (options) => {
      const { rotateKey } = await import('../../operations/keys.ts');
      const begun = await rotateKey({ configPath: options.config, tenant: options.tenant });
      note(restart);
      if (options.json) return printJson(begun);
      await print(`epoch       ${begun.epoch}\ncommitment  ${begun.commitment}`);
    },
  );
}

function addExport(group: Argv): Argv {
  return group.command(
    'export',
    "Write one epoch's secret key, for a gateway or another stack's server, to a file of mode 0600",
    (command) =>
      command
        .options({
          config,
          json,
          tenant,
          epoch: { ...flags.epoch, demandOption: true, describe: 'the epoch, such as e1' },
          format: {
            ...flags.format,
            choices: keyFormats,
            default: 'bundle' as const,
            describe: 'whom it is for: a gateway of ours, transformers or vLLM',
          },
          profile: {
            ...flags.profile,
            demandOption: false,
            describe: "the text profile that the server marks by; the stack's defaults without it",
          },
          out: {
            ...flags.out,
            demandOption: true,
            describe: 'the new file, or - for stdout, which then carries the secret',
          },
        })
        .example('$0 keys export --tenant acme --epoch e1 --out e1.json', 'for another gateway')
        .example(
          '$0 keys export --tenant acme --epoch e1 --format vllm --out vllm.json',
          'the --watermark-config of vLLM, and the profile to detect it by',
        )
        .example(
          '$0 keys export --tenant acme --epoch e1 --format transformers --profile text.json --out hf.json',
          "transformers' WatermarkingConfig for a profile of your own",
        )
        .example('$0 keys list', 'shows the epochs'),
    async ({ out, json: asJson, profile, ...options }) => {
      const { exportKey, keyDocument } = await import('../../operations/keys-export.ts');
      const chosen = {
        configPath: options.config,
        tenant: options.tenant,
        epoch: options.epoch,
        format: options.format,
        ...(profile === undefined ? {} : { profilePath: profile }),
      };
      if (out === '-') {
        const { text, warnings } = await keyDocument(chosen);
        for (const warning of warnings) note(warning);
        note('stdout carries a secret.');
        return print(text.trimEnd());
      }
      const written = await exportKey({ ...chosen, out });
      for (const warning of written.warnings) note(warning);
      if (asJson) return printJson(written);
      await print(`${written.file}  ${written.commitment}`);
    },
  );
}
