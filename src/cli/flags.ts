import { reportFormats } from '../operations/report-formats.ts';

const text = { type: 'string', requiresArg: true } as const;
const yesOrNo = { type: 'boolean', default: false } as const;

/** Every flag of every command, so that one name means one thing. */
export const flags = {
  config: {
    ...text,
    describe: 'the configuration file',
    default: process.env['TOUCHMARK_CONFIG'] ?? 'touchmark.yaml',
    defaultDescription: 'TOUCHMARK_CONFIG or ./touchmark.yaml',
  },
  json: { ...yesOrNo, describe: 'print the result as JSON' },
  yes: { ...yesOrNo, describe: 'go ahead without a question' },
  directory: { ...text, default: '.', describe: 'where to make the project' },
  tenant: { ...text, demandOption: true, describe: 'the name of the tenant' },
  epoch: { ...text, describe: "the epoch, such as e1; the tenant's current one by default" },
  out: { ...text, describe: 'the file or directory to write; it must not exist yet' },
  host: { ...text, describe: 'the address to listen on, instead of serve.host' },
  port: { type: 'number', requiresArg: true, describe: 'the port, instead of serve.port' },
  suspect: {
    ...text,
    demandOption: true,
    describe: 'the suspect: kserve:URL or http:URL',
  },
  'suspect-name': { ...text, describe: 'what the report calls the suspect' },
  'suspect-bearer-env': {
    ...text,
    describe: "the environment variable that holds the suspect's bearer token",
  },
  resume: { ...yesOrNo, describe: 'go on with the audit in --out' },
  'fail-on': {
    ...text,
    choices: ['match'] as const,
    describe: 'exit with code 10 on this verdict',
  },
  run: { ...text, demandOption: true, describe: 'the directory of a finished audit' },
  format: {
    ...text,
    choices: reportFormats,
    default: 'terminal' as const,
    describe: 'what to make of the report',
  },
} as const;

/** Names of all flags, for suggestions. */
export const flagNames: readonly string[] = [...Object.keys(flags), 'help', 'version'];
