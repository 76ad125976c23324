import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));
const execute = promisify(execFile);

/** A fenced block of a page that has a name, as in "```ts fastify.ts". */
export interface Snippet {
  readonly language: string;
  readonly text: string;
}

/** Returns the named blocks of a page of the repository, by name. */
export function snippetsOf(page: string): ReadonlyMap<string, Snippet> {
  const text = readFileSync(join(root, page), 'utf8');
  const blocks = text.matchAll(/^```(\w+) ([\w.-]+)\n([\s\S]*?)^```$/gm);
  return new Map(
    [...blocks].map(([, language, name, code]) => [name!, { language: language!, text: code! }]),
  );
}

/**
 * A directory that programs of a page run in as if touchmark were installed there: the names that
 * package.json exports lead to its source, all other packages to those of the repository.
 */
export class SnippetProject {
  readonly directory = mkdtempSync(join(tmpdir(), 'touchmark-snippets-'));

  /** @param packages others, by name, with the files that stand for them */
  constructor(packages: Readonly<Record<string, string>> = {}) {
    symlinkSync(join(root, 'node_modules'), join(this.directory, 'node_modules'));
    this.write('package.json', '{ "type": "module" }');
    const paths = Object.entries({ ...exportedPaths(), ...packages });
    const compilerOptions = {
      paths: Object.fromEntries(paths.map(([name, path]) => [name, [path]])),
    };
    const config = {
      extends: join(root, 'tsconfig.json'),
      compilerOptions,
      include: ['*.ts', join(root, 'src')],
    };
    this.write('tsconfig.json', JSON.stringify(config));
  }

  write(name: string, text: string): void {
    const path = join(this.directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  /** Resolves with what the compiler has to say of these programs, but not of the repository's: nothing. */
  async compile(): Promise<string> {
    const compiler = createRequire(import.meta.url).resolve('typescript/package.json');
    const args = [join(dirname(compiler), 'bin/tsc'), '--noEmit', '--pretty', 'false'];
    const said = await this.#execute(args).catch((failure: Error) => failure.message);
    return said
      .split(/\n(?! )/)
      .filter((problem) => /^[\w-]+\.ts\(/.test(problem))
      .join('\n');
  }

  /** Runs a program with tsx, and resolves with what it wrote to stdout. */
  run(name: string, environment: Readonly<Record<string, string>> = {}): Promise<string> {
    const loader = createRequire(import.meta.url).resolve('tsx');
    return this.#execute(['--import', loader, name], environment);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #execute(
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const options = { cwd: this.directory, env: { ...process.env, ...environment } };
    try {
      return (await execute(process.execPath, args, options)).stdout;
    } catch (cause) {
      const { stdout, stderr } = cause as { readonly stdout: string; readonly stderr: string };
      throw new Error(`${args.at(-1)} failed:\n${stdout}${stderr}`);
    }
  }
}

/** Where the names that package.json exports are in src/. */
function exportedPaths(): Record<string, string> {
  const manifest: { exports: Record<string, string | { default: string }> } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  const programs = Object.entries(manifest.exports).flatMap(([name, target]) =>
    typeof target === 'string' ? [] : [[name, target.default] as const],
  );
  return Object.fromEntries(
    programs.map(([name, path]) => [
      join('touchmark', name).replace(/\/$/, ''),
      join(root, path.replace('dist/', 'src/').replace(/\.js$/, '.ts')),
    ]),
  );
}
