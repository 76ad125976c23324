/** The words that null texts are made of: English and program source, as token ids. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gptTokenizer } from '../../../src/models/tokenizers/gpt-tokenizer.ts';
import { readTextCorpus } from '../../text-corpus.ts';

export interface TextPool {
  /** Addresses, one after another. */
  readonly english: Int32Array;
  /** Source files, one after another. */
  readonly source: Int32Array;
}

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const sourceFolders = [
  'src',
  ...['fast-check', 'fastify', 'zod', 'yaml', 'yargs', 'linkedom', 'ml-matrix'].map((name) =>
    join('node_modules', name),
  ),
];
/** Copies of one file in several module formats or minified would be no new places. */
const copies = new Set(['node_modules', 'cjs', 'browser', 'test', 'tests', 'umd', 'v3']);
const mostFileBytes = 60_000;

/** Reads the State of the Union addresses, and the sources of this project and what it uses. */
export async function readTextPool(): Promise<TextPool> {
  const { protectedTexts, otherTexts, heldOutTexts } = await readTextCorpus();
  const english = joined([...protectedTexts, ...otherTexts, ...heldOutTexts]);
  return { english, source: await readSource(sourceFolders) };
}

/** Reads source files in folders of the repository. */
export async function readSource(folders: readonly string[]): Promise<Int32Array> {
  const { encode } = await gptTokenizer('r50k_base');
  const files = folders.flatMap((folder) => sourceFiles(join(repository, folder)));
  return joined(files.map((file) => Int32Array.from(encode(readFileSync(file, 'utf8')))));
}

/** Puts texts end to end. */
export function joined(texts: readonly Int32Array[]): Int32Array {
  const tokens = new Int32Array(texts.reduce((sum, text) => sum + text.length, 0));
  let at = 0;
  for (const text of texts) {
    tokens.set(text, at);
    at += text.length;
  }
  return tokens;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return copies.has(entry.name) ? [] : sourceFiles(path);
      const isSource = /\.(ts|js|mjs)$/.test(entry.name) && !/\.(d\.ts|min\.js)$/.test(entry.name);
      return entry.isFile() && isSource ? [path] : [];
    })
    .filter((path) => readFileSync(path).length <= mostFileBytes);
}
