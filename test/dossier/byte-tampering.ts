import { sign } from 'node:crypto';
import { dsse, json } from '@sigstore/core';
import { payloadType } from '../../src/dossier/statement.ts';
import { keyIdentifier, publicKeyOf } from '../../src/keys/signing.ts';
import { byteWays } from './mutations.ts';
import { insideOf, type Random, type Tampering, type Victim } from './victims.ts';

const bytesByClass: Readonly<Record<string, readonly string[]>> = {
  digit: [...'0123456789'],
  letter: [...'abcdefxyzABCXYZ'],
  structure: [...'{}[],:'],
  'quotation mark': ['"'],
  'reverse solidus': ['\\'],
  'white space': [' ', '\t', '\n', '\r'],
  'control character': ['\u0000', '\u001b', '\u0007', '\u007f', '\u009b'],
  'character beyond ASCII': ['é', '\u2028', '\u200b', '\u{1f600}', '\ufeff'],
};

/** Changes to the file by somebody without the key: all of them have to be refused. */
export const byteTamperings: Readonly<Record<string, Tampering>> = {
  ...Object.fromEntries(
    Object.entries(byteWays).map(([kind, way]): [string, Tampering] => [
      `bytes: ${kind}`,
      ({ text }, random) => way(text, random),
    ]),
  ),
  ...Object.fromEntries(
    Object.keys(bytesByClass).map((kind): [string, Tampering] => [
      `statement: ${kind}`,
      (victim, random) => {
        const inside = insideOf(victim);
        const changed = withCharacter(inside, kind, random);
        return changed === inside ? undefined : withPayload(victim, Buffer.from(changed));
      },
    ]),
  ),
  'statement: byte that is no UTF-8': (victim, random) => {
    const bytes = Buffer.from(insideOf(victim));
    bytes[random.integer(bytes.length)] = 0x80 + random.integer(128);
    return withPayload(victim, bytes);
  },
};

/** The same characters in the statement of an insider, who signs whatever comes of it. */
export const signedTamperings: Readonly<Record<string, Tampering>> = Object.fromEntries(
  Object.keys(bytesByClass).map((kind): [string, Tampering] => [
    `insider, statement: ${kind}`,
    (victim, random) => signedText(victim, withCharacter(insideOf(victim), kind, random)),
  ]),
);

function withCharacter(text: string, kind: string, random: Random): string {
  const where = random.integer(text.length);
  const characters = bytesByClass[kind]!;
  const character = characters[random.integer(characters.length)]!;
  const removed = random.integer(2);
  return text.slice(0, where) + character + text.slice(where + removed);
}

/** The file with another payload under the old signature. */
function withPayload({ text }: Victim, payload: Buffer): string {
  const envelope = { ...JSON.parse(text), payload: payload.toString('base64') };
  return `${json.canonicalize(envelope)}\n`;
}

/** The file with another payload that the owner has signed, whatever it is. */
function signedText({ statement, key }: Victim, inside: string): string | undefined {
  if (inside === json.canonicalize(statement)) return undefined;
  const payload = Buffer.from(inside);
  const signature = sign(null, dsse.preAuthEncoding(payloadType, payload), key);
  const signatures = [
    { keyid: keyIdentifier(publicKeyOf(key)), sig: signature.toString('base64') },
  ];
  const envelope = { payload: payload.toString('base64'), payloadType, signatures };
  return `${json.canonicalize(envelope)}\n`;
}
