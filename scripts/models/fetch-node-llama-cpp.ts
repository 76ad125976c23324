/**
 * Brings node-llama-cpp, which `test/serve/in-process/node-llama-cpp.test.ts` asks SmolLM2 with, about
 * 85 MB, to `node_modules/.cache/touchmark`: `npm run fetch-node-llama-cpp`. Of its binaries it takes the
 * one for this machine's processor alone (MIT).
 */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { nodeLlamaCppFolder } from '../../test/serve/in-process/cached-node-llama-cpp.ts';

const version = '3.22.1';
const binaries: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-arm64': 'mac-arm64-metal',
  'darwin-x64': 'mac-x64',
  'win32-x64': 'win-x64',
};
const platform = `${process.platform}-${process.arch}`;
const binary = binaries[platform];
if (binary === undefined) throw new Error(`there is no binary for ${platform}`);

await mkdir(nodeLlamaCppFolder, { recursive: true });
await writeFile(`${nodeLlamaCppFolder}/package.json`, '{ "private": true }\n');
const packages = [`node-llama-cpp@${version}`, `@node-llama-cpp/${binary}@${version}`];
const install = ['install', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund'];
await promisify(execFile)('npm', [...install, ...packages], { cwd: nodeLlamaCppFolder });
console.log(`node-llama-cpp ${version} is in ${nodeLlamaCppFolder}`);
