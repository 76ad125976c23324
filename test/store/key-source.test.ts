import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type ExternalKeySource, parseKeySource, readRoot } from '../../src/store/key-source.ts';

const root = Buffer.from('sentinel'.repeat(4));
const exec = (script: string): ExternalKeySource => ({
  kind: 'exec',
  command: process.execPath,
  arguments: ['-e', script],
});

describe('key source', () => {
  it.each([
    ['file:/a b/ring.json', { kind: 'file', path: '/a b/ring.json' }],
    ['env:ROOT_KEY', { kind: 'env', name: 'ROOT_KEY' }],
    ['exec:vault read', { kind: 'exec', command: 'vault', arguments: ['read'] }],
    [`exec:"/a b/c" 'x y' ""`, { kind: 'exec', command: '/a b/c', arguments: ['x y', ''] }],
  ])('reads %s', (text, source) => {
    expect(parseKeySource(text)).toEqual(source);
  });

  it.each([
    '',
    'sentinel',
    'file:',
    'env:',
    'env:A B',
    'exec:',
    'exec: ',
  ])('refuses "%s"', (text) => {
    expect(() => parseKeySource(text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(() => parseKeySource(text)).not.toThrow(/sentinel/);
  });

  it('takes base64 and base64url from a variable or a program', async () => {
    const environment = { A: `${root.toString('base64')}\n`, B: root.toString('base64url') };
    expect(await readRoot({ kind: 'env', name: 'A' }, { environment })).toEqual(root);
    expect(await readRoot({ kind: 'env', name: 'B' }, { environment })).toEqual(root);
    expect(await readRoot(exec(`console.log('${environment.B}')`))).toEqual(root);
  });

  const secret = root.toString('base64');
  it.each<[string, ExternalKeySource, RegExp]>([
    ['an unset variable', { kind: 'env', name: 'NONE' }, /NONE is not set/],
    ['a short key', { kind: 'env', name: 'SHORT' }, /SHORT gives 24 bytes/],
    ['no base64', { kind: 'env', name: 'TEXT' }, /TEXT does not give base64/],
    ['a failing program', exec(`console.error('${secret}'); process.exit(3)`), /exit code 3/],
    ['a slow program', exec(`console.log('${secret}'); setTimeout(() => {}, 9e6)`), /longer than/],
    ['a talkative program', exec(`console.log('${secret}'.repeat(200))`), /more than a key/],
    ['an empty answer', exec(''), /gives 0 bytes/],
    ['no program', { kind: 'exec', command: '/none', arguments: [secret] }, /could not be run/],
  ])('refuses %s without showing what it saw', async (_, source, message) => {
    const environment = { SHORT: root.subarray(8).toString('base64'), TEXT: `!${secret}` };
    const error = await readRoot(source, { environment, limitMilliseconds: 1000 }).catch(
      (cause: unknown) => cause,
    );
    expect(error).toMatchObject({
      code: 'KEY_SOURCE_FAILED',
      message: expect.stringMatching(message),
    });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/sentinel|c2VudGluZWx/);
  });
});
