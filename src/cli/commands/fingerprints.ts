import type { Argv } from 'yargs';
import { TouchmarkError } from '../../errors.ts';
import type { FingerprintComparison } from '../../operations/fingerprints/compare.ts';
import type { TakenFingerprint } from '../../operations/fingerprints/taking.ts';
import { percent, visible } from '../../report/text.ts';
import { bearerFrom } from '../bearer.ts';
import { flags } from '../flags.ts';
import { createProgress } from '../progress.ts';
import { interruptSignal, note, print, printJson, table } from '../terminal.ts';

const { config, json } = flags;
const barWidth = 20;

/** What no likeness says; printed with every comparison. */
const caution =
  'Likeness alone says nothing about where a model learnt: models that were trained on the same data are alike, too.';

/** Adds `fingerprints take`, `fingerprints list` and `fingerprints compare`. */
export function addFingerprints(program: Argv): Argv {
  return program.command('fingerprints', 'What a model answers to fixed questions', (group) =>
    addCompare(addList(addTake(group))).demandCommand(
      1,
      'Say what to do: fingerprints take, list or compare.',
    ),
  );
}

function addTake(group: Argv): Argv {
  return group.command(
    'take',
    'Ask a classifier the questions of a probe set, and keep its answers',
    (command) =>
      command
        .options({
          config,
          json,
          suspect: { ...flags.suspect, demandOption: false },
          name: flags.name,
          'suspect-bearer-env': flags['suspect-bearer-env'],
          probes: flags.probes,
        })
        .example(
          '$0 fingerprints take --suspect http:https://host/classify --probes builtin:language-identification',
          'of a language identifier',
        )
        .example(
          '$0 fingerprints take --suspect kserve:http://host:8000/v2/models/m --name rival',
          'with the only probe set in fingerprints/',
        )
        .epilogue(
          'The same command goes on after an interruption (exit code 130, or 3 when the suspect was away) and asks no answered question again. Without touchmark.yaml it works in the current directory.',
        ),
    async ({ suspect, name, probes, suspectBearerEnv, ...options }) => {
      const signal = interruptSignal();
      const bearer = bearerFrom(suspectBearerEnv);
      if (suspect === undefined) throw nobody();
      const { takeFingerprint } = await import('../../operations/fingerprints/take.ts');
      const reporter = createProgress(process.stderr);
      const taken = await takeFingerprint({
        configPath: options.config,
        suspect,
        ...(bearer !== undefined && { suspectBearer: bearer }),
        ...(name !== undefined && { name }),
        ...(probes !== undefined && { probes }),
        now: () => new Date(),
        signal,
        progress: reporter.progress,
      }).finally(() => reporter.stop());
      await (options.json ? printJson(taken) : print(takenText(taken)));
    },
  );
}

function addList(group: Argv): Argv {
  return group.command(
    'list',
    'List fingerprints, those that ship with touchmark included',
    (command) =>
      command
        .options({ config, json })
        .example('$0 fingerprints list', 'as a table')
        .example('$0 fingerprints list --json', 'with the address of each model'),
    async (options) => {
      const { listFingerprints } = await import('../../operations/fingerprints/list.ts');
      const { fingerprints, problems } = await listFingerprints({ configPath: options.config });
      for (const problem of problems) note(`problem: ${problem}`);
      if (options.json) return printJson(fingerprints);
      const rows = fingerprints.map((each) => [
        each.builtin ?? each.fingerprint,
        each.model.name,
        each.task,
        each.probeSet,
        each.takenAt.slice(0, 10),
        each.summary ? percent(each.summary.answered, each.summary.questions) : '-',
        steadinessText(each.summary?.steadiness ?? null),
      ]);
      const titles = ['fingerprint', 'model', 'task', 'probe set', 'taken', 'answered', 'steady'];
      await print(table(titles, rows));
    },
  );
}

function addCompare(group: Argv): Argv {
  return group.command(
    'compare <one> <two>',
    'Say how alike two models are, quirk by quirk',
    (command) =>
      command
        .positional('one', {
          type: 'string',
          demandOption: true,
          describe:
            'a fingerprint: identifier or its beginning, name of the model, path, or builtin:NAME',
        })
        .positional('two', { type: 'string', demandOption: true, describe: 'another one' })
        .options({ config, json })
        .example('$0 fingerprints compare builtin:cld3 builtin:franc', 'two that ship')
        .example('$0 fingerprints compare 3f2a rival --json', 'by identifier and by name')
        .epilogue(
          'Exit code 2 when they cannot be compared: other labels, other questions, another version of the files.',
        ),
    async ({ one, two, ...options }) => {
      const { compareStored } = await import('../../operations/fingerprints/compare.ts');
      const compared = await compareStored({ configPath: options.config, one, two });
      if (options.json) return printJson({ ...compared, caution });
      await print(comparisonText(compared));
    },
  );
}

function takenText({ fingerprint, path, model, ...taken }: TakenFingerprint): string {
  const { answered, questions, outcomes, steadiness } = taken;
  const missing = (['refused', 'failed', 'unsupported', 'outside'] as const)
    .filter((why) => outcomes[why] > 0)
    .map((why) => `${outcomes[why]} ${why === 'outside' ? 'outside the label set' : why}`);
  return [
    `${fingerprint} of ${visible(model.name)}`,
    `${answered} of ${questions} questions answered${missing.length > 0 ? ` (of all that was asked: ${missing.join(', ')})` : ''}; ${steadinessText(steadiness)} steady`,
    visible(path, 1_000),
  ].join('\n');
}

function comparisonText({ one, two, quirks }: FingerprintComparison): string {
  const sides = [one, two].map((each) => [
    each.builtin ?? each.fingerprint,
    each.model.name,
    each.summary ? percent(each.summary.answered, each.summary.questions) : '-',
    steadinessText(each.summary?.steadiness ?? null),
  ]);
  const rows = quirks.map(({ name, likeness, why = '' }) => [
    name,
    likeness === null ? '-' : likeness.toFixed(2),
    likeness === null ? why : bar(likeness),
  ]);
  return [
    table(['fingerprint', 'model', 'answered', 'steady'], sides),
    table(['quirk', 'likeness', ''], rows),
    caution,
  ].join('\n');
}

/** A likeness of 0 or less is an empty bar. */
function bar(likeness: number): string {
  const full = Math.round(barWidth * Math.min(1, Math.max(0, likeness)));
  return '█'.repeat(full) + '░'.repeat(barWidth - full);
}

function steadinessText(steadiness: number | null): string {
  return steadiness === null ? '-' : percent(steadiness, 1);
}

function nobody(): TouchmarkError {
  return new TouchmarkError('USAGE', 'Say whose fingerprint to take.', {
    hint: 'Give --suspect kserve:URL or http:URL.',
  });
}
