import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { startLanguageServer } from '../serve/language-server.ts';
import { letterProbabilities, startModelServer } from '../serve/model-server.ts';
import { readAddresses, tokenizer, trainOn } from '../serve/openai-scene.ts';
import { temporaryDirectory } from '../store/directory.ts';
import { snippetsOf } from './snippets.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const execute = promisify(execFile);
const snippets = snippetsOf('README.md');
const text = (name: string): string => snippets.get(name)!.text;
const longest = 120_000;
const questions = Array.from({ length: 1400 }, (_, index) => `a bad cab, year ${index}`);

const command = `'${process.execPath}' --import '${createRequire(import.meta.url).resolve('tsx')}' '${join(root, 'src/cli/main.ts')}'`;

/** What a shell needs to run a page's commands from a checkout, and to end what it left running. */
const preamble = `
set -euo pipefail
npx() { shift; if [ "$BASH_SUBSHELL" -gt 0 ]; then exec ${command} "$@"; else ${command} "$@"; fi; }
trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT
ready() {
  for try in $(seq 900); do curl -fs http://127.0.0.1:8377/health/ready >&2 && return; sleep .1; done
  exit 1
}
`;

/** Runs snippets in one shell, with other ports and names where texts of them are replaced. */
async function run(
  texts: readonly (string | undefined)[],
  replacements: Readonly<Record<string, string>>,
): Promise<{ readonly stdout: string; readonly directory: string }> {
  let script = preamble + texts.join('\nready\n');
  for (const [from, to] of Object.entries(replacements)) script = script.replaceAll(from, to);
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'questions.txt'), questions.join('\n'));
  const environment = { ...process.env, TOUCHMARK_SERVE_PORT: replacements['8377'] };
  const options = { cwd: directory, env: environment, timeout: 100_000 };
  const { stdout } = await execute('bash', ['-c', script], options);
  return { stdout, directory };
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `${port}`;
}

it(
  'puts the gateway before a classifier, adds a customer and rotates keys',
  async () => {
    const labels = ['a', 'b', 'c', 'd'];
    const model = await startModelServer(({ method, body }) => {
      if (method === 'GET') {
        const outputs = [{ name: 'probabilities', datatype: 'FP32', shape: [-1, 4] }];
        return { name: 'my-model', versions: ['1'], outputs, parameters: { labels } };
      }
      const rows: number[][] = JSON.parse(body).inputs[0].data.map(letterProbabilities);
      const shape = [rows.length, 4];
      return { outputs: [{ name: 'probabilities', datatype: 'FP32', shape, data: rows.flat() }] };
    });
    const later = text('later').replace(/^npx touchmark audit[\s\S]*/m, '');
    const { stdout, directory } = await run(
      [text('quickstart-classifier'), text('ask-classifier'), later],
      { '127.0.0.1:8080': model.url.host, '8377': await freePort() },
    );
    expect(stdout).toMatch(/"name":"probabilities".*"shape":\[1,4\]/);
    expect(stdout).toMatch(/valid|1 records/);
    const config = readFileSync(join(directory, 'stamp/touchmark.yaml'), 'utf8');
    expect(config).toContain('id: acme');
  },
  longest,
);

it(
  'puts the gateway before a language model',
  async () => {
    const server = await startLanguageServer({ model: trainOn(readAddresses(0, 4)), tokenizer });
    const { stdout } = await run([text('quickstart-language-model'), text('ask-language-model')], {
      '127.0.0.1:8000': new URL(server.origin).host,
      '8377': await freePort(),
      'gpt-tokenizer:o200k_base': tokenizer.name,
    });
    expect(stdout).toMatch(/"object":"chat.completion"/);
    expect(stdout).toMatch(/"content":".+"/);
  },
  longest,
);
