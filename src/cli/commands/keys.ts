import type { Argv } from 'yargs';
import { keyFormats } from '../../operations/key-formats.ts';
import { flags } from '../flags.ts';
import { note, print, printJson, table } from '../terminal.ts';
import { exportAll, generateMany, requireOne, restart, rotateMany } from './keys-many.ts';

const { config, json } = flags;
const tenant = { ...flags.tenant, demandOption: false } as const;
const tenants = {
  type: 'string',
  requiresArg: true,
  describe: "a file of tenants' names, one a line, or - for stdin",
} as const;
const all = { type: 'boolean', describe: 'every tenant of the configuration' } as const;

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
    'Add a tenant, or many: epochs, API keys and lines in the configuration',
    (command) =>
      command
        .options({
          config,
          json,
          tenant,
          tenants,
          out: { ...flags.out, describe: 'with --tenants: the new file for their API keys' },
        })
        .check(({ tenant: one, tenants: many, out }) =>
          requireOne(
            { '--tenant': one, '--tenants': many },
            out !== undefined && one !== undefined,
          ),
        )
        .example('$0 keys generate --tenant acme', 'the API key goes into a file of mode 0600')
        .example('$0 keys generate --tenant acme --json', 'with the commitment to publish, as JSON')
        .example(
          '$0 keys generate --tenants names.txt --out api-keys.jsonl',
          'many; their lines go into tenantsFile, and all API keys into one file',
        ),
    async (options) => {
      if (options.tenants !== undefined) {
        return generateMany(options.config, options.tenants, options.out, options.json);
      }
      const { generateKey } = await import('../../operations/keys.ts');
      const made = await generateKey({ configPath: options.config, tenant: options.tenant ?? '' });
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
    "Begin a tenant's next epoch, or those of many, and close the ones in use",
    (command) =>
      command
        .options({ config, json, tenant, tenants, all })
        .check(({ tenant: one, tenants: many, all: everyone }) =>
          requireOne({ '--tenant': one, '--tenants': many, '--all': everyone }),
        )
        .example('$0 keys rotate --tenant acme', 'before an audit of what acme was answered')
        .example('$0 keys rotate --tenant acme --json', 'with the commitment to publish, as JSON')
        .example('$0 keys rotate --all', 'every tenant of the configuration'),
    async (options) => {
      if (options.tenant === undefined) {
        return rotateMany(options.config, options.tenants, options.json);
      }
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
    "Write secret keys, for a gateway or another stack's server, to a file of mode 0600",
    (command) =>
      command
        .options({
          config,
          json,
          tenant,
          all: { ...all, describe: 'the epochs in use of all tenants, as one bundle' },
          epoch: { ...flags.epoch, describe: 'the epoch, such as e1; with --tenant' },
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
        .check(({ tenant: one, all: everyone, epoch, format, profile }) => {
          requireOne({ '--tenant': one, '--all': everyone });
          if (one !== undefined && epoch === undefined) throw new Error('--tenant needs --epoch.');
          if (everyone && (epoch !== undefined || profile !== undefined || format !== 'bundle')) {
            throw new Error('--all goes with --format bundle, without --epoch and --profile.');
          }
          return true;
        })
        .example(
          '$0 keys export --all --out bundle.jsonl',
          'for a gateway without the root: keys.source: bundle:bundle.jsonl',
        )
        .example('$0 keys export --tenant acme --epoch e1 --out e1.json', 'one epoch alone')
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
      const { tenant: one, epoch } = options;
      if (one === undefined || epoch === undefined) {
        return exportAll(options.config, out, asJson);
      }
      const { exportKey, keyDocument } = await import('../../operations/keys-export.ts');
      const chosen = {
        configPath: options.config,
        tenant: one,
        epoch,
        format: options.format,
        ...(profile === undefined ? {} : { profilePath: profile }),
      };
      if (out === '-') {
        const document = await keyDocument(chosen);
        for (const warning of document.warnings) note(warning);
        note('stdout carries a secret.');
        return print(document.text.trimEnd());
      }
      const written = await exportKey({ ...chosen, out });
      for (const warning of written.warnings) note(warning);
      if (asJson) return printJson(written);
      await print(`${written.file}  ${written.commitment}`);
    },
  );
}
