import { createPrivateKey, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  checkpointText,
  openNote,
  parseCheckpoint,
  parseVerifierKey,
  signNote,
  verifierKey,
} from '../../src/keys/signed-note.ts';
import { publicKeyOf } from '../../src/keys/signing.ts';
import published from '../vectors/signed-note.json' with { type: 'json' };

const { text, peter, enoch } = published;
const peterVerifier = parseVerifierKey(peter.verifier);
const enochVerifier = parseVerifierKey(enoch.verifier);
const invalid = expect.objectContaining({ code: 'EVIDENCE_INVALID' });

/** The private key of `PRIVATE+KEY+name+identifier+base64`, as golang.org/x/mod/sumdb/note has it. */
function privateKeyOf(signer: string): KeyObject {
  const key = Buffer.from(signer.split('+').slice(4).join('+'), 'base64');
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
  const der = Buffer.concat([prefix, key.subarray(1)]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

describe('verifier keys (vectors of golang.org/x/mod/sumdb/note)', () => {
  it('reads a published one and writes it again', () => {
    expect(peterVerifier.name).toBe('PeterNeumann');
    expect(verifierKey('PeterNeumann', peterVerifier.publicKey)).toBe(peter.verifier);
  });

  it('refuses every part of one, and every changed byte', () => {
    const whole = peter.verifier;
    const refused = (key: string) =>
      expect(() => parseVerifierKey(key), key).toThrow(/verifier key is malformed/);
    for (let from = 0; from <= whole.length; from += 1) {
      for (let to = from + 1; to <= whole.length; to += 1) {
        if (to - from < whole.length) refused(whole.slice(from, to));
      }
    }
    for (let at = 0; at < whole.length; at += 1) {
      const code = whole.charCodeAt(at) + 1;
      refused(`${whole.slice(0, at)}${String.fromCharCode(code)}${whole.slice(at + 1)}`);
    }
    for (const key of published.refusedVerifiers) refused(key);
  });
});

describe('signed notes (vectors of golang.org/x/mod/sumdb/note)', () => {
  it('signs as published', () => {
    const note = signNote(text, 'PeterNeumann', privateKeyOf(peter.signer));
    expect(note).toBe(`${text}\n${peter.line}`);
    expect(openNote(note, [peterVerifier])).toEqual({ text, signers: ['PeterNeumann'] });
  });

  it('counts each signer once, and passes over unknown ones', () => {
    const note = `${text}\n${peter.line}${peter.line}${enoch.line}`;
    expect(openNote(note, [peterVerifier]).signers).toEqual(['PeterNeumann']);
    const both = ['PeterNeumann', 'EnochRoot'];
    expect(openNote(note, [enochVerifier, peterVerifier]).signers).toEqual(both);
    expect(() => openNote(note, [])).toThrow(/not signed by a known key/);
  });

  it.each([
    ['no signature', text],
    ['an empty list of signatures', `${text}\n`],
    ['no last line break', `${text}\n${peter.line.slice(0, -1)}`],
    ['a control character', `\x01${text}\n${peter.line}`],
    ['a lone surrogate', `\uD800${text}\n${peter.line}`],
    ['a name with a space', `${text}\n${peter.line.replace('Peter', 'Peter ')}`],
    ['a name with a plus sign', `${text}\n${peter.line.replace('Peter', 'Peter+')}`],
    ['a line that is no signature', `${text}\n${peter.line}Unexpected line.\n`],
    ['too many signatures', `${text}\n${peter.line.repeat(101)}`],
    ['a longer signature', `${text}\n${peter.line.slice(0, 60)}ABCD${peter.line.slice(60)}`],
    ['base64 of another spelling', `${text}\n${peter.line.replace('nAM=', 'nAN=')}`],
    ['one wrong signature among right ones', `${text}\n${peter.line}${wrong(peter.line)}`],
  ])('refuses %s', (_, note) => {
    expect(() => openNote(note, [peterVerifier])).toThrow(invalid);
  });

  it('refuses any one changed character', () => {
    const note = `${text}\n${peter.line}`;
    for (let at = 0; at < note.length; at += 1) {
      const code = note.charCodeAt(at) ^ 1;
      const changed = `${note.slice(0, at)}${String.fromCharCode(code)}${note.slice(at + 1)}`;
      expect(() => openNote(changed, [peterVerifier]), `${at}`).toThrow(invalid);
    }
  });

  it('signs no text and under no name that could not be opened again', () => {
    const key = privateKeyOf(peter.signer);
    for (const [bad, name] of [
      ['abc', 'a'],
      ['a\tb\n', 'a'],
      ['a\n', 'a+b'],
      ['a\n', 'a b'],
      ['a\n', 'a\u2003b'],
      ['a\n', ''],
    ] as const) {
      expect(() => signNote(bad, name, key)).toThrow(/malformed/);
    }
    const verifier = { name: 'a', publicKey: publicKeyOf(key) };
    expect(openNote(signNote('x\n\ny\n', 'a', key), [verifier]).text).toBe('x\n\ny\n');
  });
});

describe('checkpoints (c2sp.org/tlog-checkpoint)', () => {
  const [example = ''] = published.checkpoint.split(/(?<=\n)\n/);

  it('reads the published example and writes it again', () => {
    const facts = parseCheckpoint(example);
    expect(facts).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20852163 });
    expect(checkpointText(facts)).toBe(example);
    const extended = { ...facts, extensions: ['head 00', 'time 2026'] };
    expect(parseCheckpoint(checkpointText(extended))).toEqual(extended);
    expect(parseCheckpoint(checkpointText({ ...facts, size: 0 })).size).toBe(0);
  });

  it.each([
    ['no origin', example.replace(/^.*\n/, '\n')],
    ['a leading zero', example.replace('2085', '02085')],
    ['a sign', example.replace('2085', '+2085')],
    ['another size', example.replace('20852163', '2e3')],
    ['a size beyond exact numbers', example.replace('20852163', '99999999999999999999')],
    ['a short root', example.replace('CsUY', '')],
    ['a root of another spelling', example.replace('2I=', '2J=')],
    ['an empty extension', `${example}\n`],
    ['no last line break', example.slice(0, -1)],
    ['two lines', 'a\n1\n'],
  ])('refuses %s', (_, changed) => {
    expect(() => parseCheckpoint(changed)).toThrow(/is no checkpoint/);
  });
});

/** The same signature line with another signature. */
function wrong(line: string): string {
  return line.replace('ZJku', 'ZJkv');
}
