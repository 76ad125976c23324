import { execFile } from 'node:child_process';
import { TouchmarkError } from '../errors.ts';

/** Where the root key comes from. */
export type KeySource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'exec'; readonly command: string; readonly arguments: readonly string[] };

/** A source outside the key ring. */
export type ExternalKeySource = Exclude<KeySource, { readonly kind: 'file' }>;

const rootBytes = 32;
const forms = 'Use file:PATH, env:NAME or exec:COMMAND ARGUMENTS.';

/**
 * Reads the text form of a source: `file:PATH` (a key ring with its own root), `env:NAME` (a
 * variable that holds the root in base64) or `exec:COMMAND ARGUMENTS` (a program that prints it;
 * blanks separate, quotes of either kind keep together, no shell is involved).
 *
 * @throws TouchmarkError CONFIG_INVALID naming the form, never the rest of the text
 */
export function parseKeySource(text: string): KeySource {
  const [, kind, rest = ''] = /^(file|env|exec):(.*)$/s.exec(text) ?? [];
  if (kind === 'file' && rest.length > 0) return { kind, path: rest };
  if (kind === 'env' && /^[A-Za-z_]\w*$/.test(rest)) return { kind, name: rest };
  if (kind === 'exec') {
    const words = rest.matchAll(/"([^"]*)"|'([^']*)'|([^\s"']+)/g);
    const [command, ...others] = Array.from(words, ([, a, b, c]) => a ?? b ?? c ?? '');
    if (command) return { kind, command, arguments: others };
  }
  const found = kind === undefined ? 'has no known form' : `of the form ${kind}: is malformed`;
  throw new TouchmarkError('CONFIG_INVALID', `The key source ${found}.`, { hint: forms });
}

/**
 * Returns the 32-byte root key of an external source. What the source gave is never part of an
 * error, nor is what a program wrote to stderr.
 *
 * @throws TouchmarkError KEY_SOURCE_FAILED naming the variable or program
 */
export async function readRoot(
  source: ExternalKeySource,
  options: {
    readonly environment?: Readonly<Record<string, string | undefined>>;
    readonly limitMilliseconds?: number;
  } = {},
): Promise<Buffer> {
  const { environment = process.env, limitMilliseconds = 10_000 } = options;
  if (source.kind === 'exec') {
    return decodeRoot(await run(source, limitMilliseconds), `The program ${source.command}`);
  }
  const value = environment[source.name];
  if (value !== undefined) return decodeRoot(value, `The variable ${source.name}`);
  throw failed(`The environment variable ${source.name} is not set.`);
}

function run(
  { command, arguments: words }: ExternalKeySource & { readonly kind: 'exec' },
  limit: number,
): Promise<string> {
  const settings = {
    timeout: limit,
    killSignal: 'SIGKILL',
    maxBuffer: 4096,
    shell: false,
  } as const;
  return new Promise((resolve, reject) => {
    execFile(command, [...words], settings, (error, output) => {
      if (error === null) return resolve(output);
      const reason =
        error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER'
          ? 'printed more than a key'
          : error.killed
            ? `took longer than ${limit / 1000} s`
            : typeof error.code === 'number'
              ? `ended with exit code ${error.code}`
              : `could not be run (${error.code ?? error.signal})`;
      reject(failed(`The program ${command} ${reason}.`));
    });
  });
}

function decodeRoot(text: string, giver: string): Buffer {
  const trimmed = text.trim();
  const root = Buffer.from(trimmed, 'base64');
  const canonical = trimmed.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '');
  if (root.toString('base64').replace(/=+$/, '') !== canonical) {
    throw failed(`${giver} does not give base64.`);
  }
  if (root.length === rootBytes) return root;
  throw failed(`${giver} gives ${root.length} bytes.`);
}

function failed(message: string): TouchmarkError {
  return new TouchmarkError('KEY_SOURCE_FAILED', message, {
    hint: `It must give ${rootBytes} random bytes in base64, for example from: openssl rand -base64 32`,
  });
}
