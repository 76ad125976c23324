import { text } from 'node:stream/consumers';
import { TouchmarkError } from '../../errors.ts';
import { readTextIfPresent } from '../../store/project-files.ts';
import { createProgress } from '../progress.ts';
import { interruptSignal, note, print, printJson } from '../terminal.ts';

export const restart =
  'A gateway that runs reads this by itself within seconds; a program that marks opens it again.';

/** Makes keys of many tenants and says what was made. */
export async function generateMany(
  configPath: string,
  from: string,
  out: string | undefined,
  asJson: boolean,
): Promise<void> {
  const { generateKeys } = await import('../../operations/keys-many.ts');
  const names = await readNames(from);
  const signal = interruptSignal(
    'What was made is kept; the same command with another --out goes on.',
  );
  const reporter = createProgress(process.stderr);
  const made = await generateKeys({
    ...{ configPath, names, signal, progress: reporter.progress },
    ...(out !== undefined && { out }),
  }).finally(() => reporter.stop());
  if (made.newRing !== null) note(`There was no key ring ${made.newRing}; it was made.`);
  if (made.skipped > 0) note(`${made.skipped} were there already.`);
  note(restart);
  if (asJson) return printJson(made);
  await print(
    `tenants     ${made.tenants}\nadded to    ${made.tenantsFile}\nAPI keys    ${made.apiKeysFile ?? 'none'}`,
  );
}

/** Reads names of tenants from a file or stdin. */
async function readNames(from: string): Promise<string[]> {
  const { parseNames } = await import('../../operations/keys-many.ts');
  if (from === '-') return parseNames(await text(process.stdin), 'stdin');
  const names = await readTextIfPresent(from);
  if (names !== undefined) return parseNames(names, from);
  throw new TouchmarkError('INPUT_INVALID', `There is no file ${from}.`, {
    hint: "Give the path of a file with tenants' names, one a line, or - for stdin.",
  });
}

/** Lets a command pass that names its tenants in exactly one way. @throws Error with usage */
export function requireOne(ways: Readonly<Record<string, unknown>>, isOdd = false): true {
  const given = Object.values(ways).filter((value) => value !== undefined && value !== false);
  const names = Object.keys(ways).join(' or ');
  if (given.length !== 1) throw new Error(`Give one of ${names}.`);
  if (isOdd) throw new Error('--out goes with --tenants only.');
  return true;
}

/** Rotates the keys of many tenants; of all without a file of names. */
export async function rotateMany(
  configPath: string,
  from: string | undefined,
  asJson: boolean,
): Promise<void> {
  const { rotateKeys } = await import('../../operations/keys-many.ts');
  const signal = interruptSignal('Epochs that were begun stay: see touchmark keys list.');
  const names = from === undefined ? undefined : await readNames(from);
  const reporter = createProgress(process.stderr);
  const rotated = await rotateKeys({
    ...{ configPath, signal, progress: reporter.progress },
    ...(names !== undefined && { names }),
  }).finally(() => reporter.stop());
  note(restart);
  if (asJson) return printJson(rotated);
  await print(`tenants     ${rotated.tenants}`);
}

/** Writes the epochs in use to a file, or to stdout for `-`. */
export async function exportAll(configPath: string, out: string, asJson: boolean): Promise<void> {
  const { bundleOf, exportBundle } = await import('../../operations/keys-bundle.ts');
  if (out === '-') {
    const { lines } = await bundleOf({ configPath });
    note('stdout carries secrets.');
    return print([...lines].join('').trimEnd());
  }
  const written = await exportBundle({ configPath, out });
  if (asJson) return printJson(written);
  await print(`${written.file}  ${written.tenants} tenants`);
}
