import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { initProject } from '../../src/operations/init.ts';
import { temporaryDirectory } from '../store/directory.ts';

export interface TinyProject {
  readonly directory: string;
  readonly configPath: string;
  readonly apiKey: string;
}

/** A project as `init` makes it, with other settings where texts of its configuration are replaced. */
export async function tinyProject(
  replacements: Readonly<Record<string, string>> = {},
): Promise<TinyProject> {
  const directory = join(temporaryDirectory(), 'project');
  await initProject({ directory, environment: {} });
  const configPath = join(directory, 'touchmark.yaml');
  let config = readFileSync(configPath, 'utf8');
  for (const [from, to] of Object.entries(replacements)) config = config.replace(from, () => to);
  writeFileSync(configPath, config);
  const apiKeyFile = join(directory, '.touchmark', 'api-keys', 'example.key');
  return { directory, configPath, apiKey: readFileSync(apiKeyFile, 'utf8').trim() };
}

/** A model on the plain JSON route that tells vowels from consonants, at an address of its own. */
export async function startTinyModel(
  reply: (texts: string[]) => object | Promise<object> = vowels,
): Promise<string> {
  const server = createServer(async (request, response) => {
    const { inputs } = JSON.parse(await text(request));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(await reply(inputs)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return `http:http://127.0.0.1:${port}/classify`;
}

/** The upstream that the configuration of a new project names. */
export const placeholder = 'http:http://127.0.0.1:8080/classify';

function vowels(texts: string[]): object {
  const probabilities = texts.map((each) => {
    const share = (1 + (each.match(/[aeiou]/g) ?? []).length) / (2 + each.length);
    return [share, (1 - share) * 0.75, (1 - share) * 0.25];
  });
  return { labels: ['vowels', 'consonants', 'others'], probabilities };
}
