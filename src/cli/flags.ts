import { reportFormats } from '../operations/report-formats.ts';
import { questionSources } from '../operations/traps/source.ts';

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
  upstream: {
    ...text,
    describe: 'where the model answers: http:URL, kserve:URL, tfserving:URL or openai:URL',
  },
  'served-tokenizer': {
    ...text,
    describe:
      "a language model's tokenizer: gpt-tokenizer:NAME, or the folder of its tokenizer.json",
  },
  tenant: { ...text, demandOption: true, describe: 'the name of the tenant' },
  epoch: { ...text, describe: "the epoch, such as e1; the tenant's current one by default" },
  out: { ...text, describe: 'the file or directory to write; it must not exist yet' },
  host: { ...text, describe: 'the address to listen on, instead of serve.host' },
  port: { type: 'number', requiresArg: true, describe: 'the port, instead of serve.port' },
  suspect: {
    ...text,
    demandOption: true,
    describe:
      'the suspect: KIND:WHERE (kserve, http, openai, tfserving, tfjs, onnx, exec, replay), or its name under suspects: in touchmark.yaml',
  },
  'suspect-name': { ...text, describe: 'what the report calls the suspect' },
  'suspect-bearer-env': {
    ...text,
    describe: "the environment variable that holds the suspect's bearer token",
  },
  operator: { ...text, describe: 'who answers for the suspect, for the record of exposed traps' },
  'trap-lots': {
    type: 'number',
    requiresArg: true,
    describe: 'lots of traps of each kind to expose for good, instead of traps.lotsPerAudit',
  },
  require: {
    ...text,
    choices: ['asserted', 'anchored', 'recomputed'] as const,
    describe: 'fail unless every claim rests on at least this',
  },
  accept: { ...text, describe: 'claims to take on trust for --require: NAME,NAME' },
  'owner-key': {
    ...text,
    describe: "the owner's key identifier, as log checkpoint --json prints it for the owner",
  },
  'available-since': {
    ...text,
    describe: 'the first provable availability of the suspect or an earlier version of it, a date',
  },
  'timestamp-authority': {
    type: 'array',
    requiresArg: true,
    describe: 'files with certificates of timestamp authorities that you trust, PEM',
  },
  'beacon-chain': {
    type: 'array',
    requiresArg: true,
    describe: 'files with the /info of drand chains that you trust beside the public ones',
  },
  reask: {
    ...text,
    describe: 'ask the suspect again, KIND:WHERE: a random sample, by your own hand',
  },
  baseline: {
    ...text,
    describe: 'your own unmarked copy of the protected model, KIND:WHERE, for the clean answers',
  },
  choices: {
    type: 'number',
    requiresArg: true,
    describe: 'how many keys, logs, plans and suspects you suppose the owner could choose among',
  },
  control: {
    type: 'array',
    requiresArg: true,
    describe:
      'models that you know to be innocent, KIND:WHERE, to see what the questions do to them',
  },
  share: {
    type: 'number',
    requiresArg: true,
    default: 1,
    describe: 'the chance of each question to be asked, at most 1',
  },
  seed: {
    ...text,
    describe:
      'what draws the sample, such as a public random round later than the dossier; random by default',
  },
  reading: {
    ...text,
    describe: 'a JSON file with the labelMap and suspectLabels of the audit, if it had any',
  },
  timestamp: { ...yesOrNo, describe: 'have audit.timestampAuthority date it, for dossiers' },
  witness: { ...text, describe: 'a file of what was seen published when, {"digest", "at"} a line' },
  batch: {
    ...text,
    describe:
      'a YAML file of suspects, NAME: KIND:WHERE or one of touchmark.yaml, to audit together; --out has one directory each',
  },
  'dry-run': {
    ...yesOrNo,
    describe: 'say what would be asked, at what cost and with what power; asks and seals nothing',
  },
  redact: { ...text, describe: 'tests to leave out of the dossier: NAME,NAME' },
  resume: { ...yesOrNo, describe: 'go on with the audit in --out' },
  'fail-on': {
    ...text,
    choices: ['match', 'inconclusive'] as const,
    describe: 'exit with code 10 on this verdict, whatever the report shows',
  },
  probes: {
    ...text,
    describe:
      'the questions to ask: a probe set by identifier, name or path, or builtin:NAME; the only one in fingerprints/ by default',
  },
  name: { ...text, describe: 'what the fingerprint calls the model' },
  protected: {
    type: 'boolean',
    describe:
      'the protected model, and reference models to rank suspects among, instead of --suspect',
  },
  run: { ...text, demandOption: true, describe: 'the directory of a finished audit' },
  profile: { ...text, demandOption: true, describe: 'the text profile, a JSON file' },
  in: { ...text, describe: 'the file of JSON lines to read, instead of stdin' },
  'key-file': {
    ...text,
    describe: "a file of mode 0600 with another stack's key, or what keys export wrote; - is stdin",
  },
  'key-env': { ...text, describe: 'the environment variable that holds the same' },
  'common-tenant': {
    ...text,
    describe: 'the tenant that serves nobody, whose key all share; for profiles with tenants',
  },
  'common-epoch': { ...text, describe: "the common tenant's epoch; its current one by default" },
  tokenizer: { ...text, describe: 'the folder of tokenizer.json, when it is not built in' },
  together: { ...yesOrNo, describe: 'one result for all texts, each pair counted once' },
  diagnose: { ...yesOrNo, describe: 'also read each text under neighbours of the profile' },
  accuse: { ...text, describe: 'tenants to test by their own keys: NAME,NAME or all' },
  'logit-bias': {
    ...yesOrNo,
    describe: 'print the logit_bias that embeds a biased or fixed green list; reads no lines',
  },
  kind: {
    ...text,
    choices: ['coin', 'region'] as const,
    demandOption: true,
    describe:
      'what traps: coins of the serving log, or questions where copies give themselves away',
  },
  source: {
    ...text,
    choices: questionSources,
    describe: 'where region traps come from: inputs.traps, or a search from there',
  },
  count: {
    type: 'number',
    requiresArg: true,
    describe: 'how many traps, instead of what is lacking',
  },
  leaked: { ...text, describe: 'sets that others may know, to retire at once: SET,SET' },
  'trust-clock': { ...yesOrNo, describe: 'vouch for the clock, after it was set right' },
  cron: {
    ...text,
    default: '0 3 * * *',
    describe: 'when: minute, hour, day of month, month, day of week',
  },
  timezone: { ...text, describe: 'whose clock, such as Europe/Berlin; traps.timezone by default' },
  reveal: { ...text, describe: 'print this set in clear, after retiring it for good' },
  limit: { type: 'number', requiresArg: true, describe: 'the most tokens of --logit-bias' },
  'reveal-traps': {
    ...yesOrNo,
    describe: 'show the traps of the audit in clear, after retiring them for good',
  },
  format: {
    ...text,
    choices: reportFormats,
    default: 'terminal' as const,
    describe: 'what to make of the report',
  },
  budgets: {
    ...text,
    describe: 'served answers that students learn from: N,N; by default as far as questions reach',
  },
  keys: {
    type: 'number',
    requiresArg: true,
    describe: 'students of each family and budget, each under a key of its own; 12 by default',
  },
  shape: {
    ...text,
    choices: ['labels', 'probabilities'] as const,
    default: 'probabilities' as const,
    describe: 'what students learn from and audits get',
  },
  families: {
    ...text,
    describe: 'kinds of students: network-N with N hidden units, perceptron, naive-bayes',
  },
  questions: { ...text, describe: 'a file of questions to ask, instead of half of inputs.twin' },
  quick: {
    ...yesOrNo,
    describe: 'a first look with few students, which gives no audit its power',
  },
} as const;

/** Names of all flags, for suggestions. */
export const flagNames: readonly string[] = [...Object.keys(flags), 'help', 'version'];
