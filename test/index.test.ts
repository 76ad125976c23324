import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as touchmark from '../src/index.ts';

const face = join(import.meta.dirname, '../src/index.ts');

it('re-exports and does nothing else', () => {
  const code = readFileSync(face, 'utf8').replace(/\/\*\*[\s\S]*?\*\//g, '');
  const statements = code.split(';').map((each) => each.trim());
  expect(statements.at(-1)).toBe('');
  for (const statement of statements.slice(0, -1)) {
    expect(statement).toMatch(/^export (type )?(\{[^}]*\}|\*) from '\.\/[\w/-]+\.ts'$/);
  }
});

it('has the names of the road through the product, all of them functions, classes or lists, but for one probe set', () => {
  expect(Object.keys(touchmark)).toEqual(
    expect.arrayContaining([
      'ClassifierMarker',
      'TouchmarkError',
      'createGateway',
      'createKeyRing',
      'createPipeline',
      'detectText',
      'openClassifier',
      'openServingLog',
      'openTextWatermark',
      'parseReport',
      'provenanceTests',
      'runAudit',
      'sealProfile',
      'verifyServingLog',
    ]),
  );
  for (const [name, value] of Object.entries(touchmark)) {
    const isProbeSet = name === 'languageProbes';
    expect(typeof value === 'function' || Array.isArray(value) || isProbeSet, name).toBe(true);
  }
});

it('is imported without a word, an open handle, or a hand in the crash handling of its host', () => {
  const program = `
    await import(${JSON.stringify(face)});
    const open = process.getActiveResourcesInfo().filter((each) => /TCP|Timeout|FSReq/.test(each));
    const crashes = ['uncaughtException', 'unhandledRejection', 'beforeExit'];
    const listeners = crashes.filter((each) => process.listenerCount(each) > 0);
    console.log(JSON.stringify({ listeners, open }));
  `;
  const loader = createRequire(import.meta.url).resolve('tsx');
  const output = execFileSync(
    process.execPath,
    ['--import', loader, '--input-type=module', '--eval', program],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
  );
  expect(JSON.parse(output)).toEqual({ listeners: [], open: [] });
});
