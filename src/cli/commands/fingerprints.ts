import type { Argv } from 'yargs';
import { TouchmarkError } from '../../errors.ts';
import { percent, visible } from '../../report/text.ts';
import { bearerFrom } from '../bearer.ts';
import {
  caution,
  comparisonText,
  protectedText,
  steadinessText,
  takenText,
} from '../fingerprint-texts.ts';
import { flags } from '../flags.ts';
import { createProgress } from '../progress.ts';
import { interruptSignal, note, print, printJson, table } from '../terminal.ts';

const { config, json } = flags;
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
          protected: { ...flags.protected, conflicts: ['suspect', 'name', 'probes'] },
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
        .example(
          '$0 fingerprints take --protected',
          'of your own model, with questions of inputs.fingerprint; audits then use it',
        )
        .epilogue(
          'The same command goes on after an interruption (exit code 130, or 3 when the model was away) and asks no answered question again. Without touchmark.yaml it works in the current directory.',
        ),
    async ({ suspect, name, probes, suspectBearerEnv, ...options }) => {
      const signal = interruptSignal();
      const reporter = createProgress(process.stderr);
      const common = {
        configPath: options.config,
        now: () => new Date(),
        signal,
        progress: reporter.progress,
      };
      if (options.protected) {
        const { takeProtected } = await import('../../operations/fingerprints/take-protected.ts');
        const taken = await takeProtected({ ...common, onNotice: note }).finally(reporter.stop);
        return options.json ? printJson(taken) : print(protectedText(taken));
      }
      if (suspect === undefined) throw nobody();
      const bearer = bearerFrom(suspectBearerEnv);
      const { takeFingerprint } = await import('../../operations/fingerprints/take.ts');
      const taken = await takeFingerprint({
        ...common,
        suspect,
        ...(bearer !== undefined && { suspectBearer: bearer }),
        ...(name !== undefined && { name }),
        ...(probes !== undefined && { probes }),
      }).finally(reporter.stop);
      return options.json ? printJson(taken) : print(takenText(taken));
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
      const compared = await compareStored({
        ...{ configPath: options.config, one, two, now: () => new Date() },
      });
      for (const { suspect, looks } of compared.looks)
        note(
          `${visible(suspect)} was looked at: its next audit is charged as number ${looks + 1}.`,
        );
      if (options.json) return printJson({ ...compared, caution });
      await print(comparisonText(compared));
    },
  );
}

function nobody(): TouchmarkError {
  return new TouchmarkError('USAGE', 'Say whose fingerprint to take.', {
    hint: 'Give --suspect kserve:URL or http:URL, or --protected for your own model.',
  });
}
