import { z } from 'zod';
import { type Claim, type Grade, weakestGrade } from '../dossier/verify/claims.ts';
import { gradeClaims, neededBans } from '../dossier/verify/grading.ts';
import type { Trust } from '../dossier/verify/trust.ts';
import { type VerifiedDossier, verifyDossier } from '../dossier/verify/verify.ts';
import { TouchmarkError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { parseChain } from '../keys/beacon.ts';
import { readDossierFile } from '../store/dossier-file.ts';
import { readJsonDocument } from '../store/json-document.ts';
import { readTextIfPresent } from '../store/project-files.ts';
import { type AskedAgain, askAgain, type ReaskOptions } from './verify-reask.ts';

export interface VerifyOptions {
  readonly path: string;
  /** The owner's key identifier, 64 hexadecimal digits, as the reader has it from the owner. */
  readonly ownerKey?: string;
  /** Files with certificates of timestamp authorities, PEM. */
  readonly authorities: readonly string[];
  /** A file of what the reader saw published: one JSON object {digest, at} per line. */
  readonly witness?: string;
  /** ISO 8601: the suspect's first provable availability. */
  readonly availableSince?: string;
  /** How many keys, logs, plans and suspects the reader supposes were at the owner's choice. */
  readonly choices?: number;
  /** Files with the /info of drand chains that the reader trusts. */
  readonly beaconChains?: readonly string[];
  /** What to ask again; the only thing that uses the network. */
  readonly reask?: ReaskOptions;
}

/** What a dossier says and what each of its claims rests on. */
export interface Verification {
  readonly schema: 'touchmark/verification@1';
  readonly file: string;
  readonly digest: string;
  readonly keyIdentifier: string;
  readonly suspect: string;
  readonly protectedModel: string;
  readonly tenant: string;
  readonly epoch: string;
  readonly verdict: string;
  readonly score: number;
  readonly keyedScore: number;
  readonly threshold: number;
  /** The weakest grade of all claims. */
  readonly weakest: Grade;
  /** The weakest first. */
  readonly claims: readonly Claim[];
  /** What handing the dossier over has used up. */
  readonly reveals: readonly string[];
  /** What no claim is about: how answers came to depend on the key. */
  readonly wayThere: string;
  /** What the reader's own asking came to. */
  readonly asked?: AskedAgain & {
    /** Whether the reader's own asking bears out a match; null where it was not asked or is none. */
    readonly confirms: boolean | null;
  };
}

const witnessLine = z.strictObject({
  digest: z.string().regex(/^(sha256:)?[0-9a-f]{64}$/),
  at: z.iso.datetime({ offset: true }),
});

/**
 * Verifies a dossier offline, see `verifyDossier`, and then asks again what the reader wants to know.
 *
 * @throws TouchmarkError USAGE when there is no such file; EVIDENCE_INVALID when anything fails; as
 *   `askAgain`
 */
export async function verify(options: VerifyOptions): Promise<Verification> {
  const text = await readDossierFile(options.path);
  const trust = await trustOf(options);
  const dossier = verifyDossier(text, trust);
  const { digest, keyIdentifier, predicate, findings, planHash, anchor } = dossier;
  const asked = options.reask && (await askAgain(dossier, options.reask));
  const claims = asked
    ? gradeClaims(predicate, { anchor, planHash, trust, own: asked.own })
    : dossier.claims;
  const { plan } = predicate;
  return {
    schema: 'touchmark/verification@1',
    file: options.path,
    digest,
    keyIdentifier,
    suspect: plan.suspect,
    protectedModel: plan.protectedModel.name,
    tenant: plan.tenant,
    epoch: plan.epoch,
    verdict: findings.verdict,
    score: findings.score,
    keyedScore: findings.keyedScore,
    threshold: plan.threshold,
    weakest: weakestGrade(claims),
    claims,
    reveals: revealsOf(predicate.reveals),
    wayThere: wayThere(predicate.report),
    ...(asked && { asked: { ...asked, confirms: confirms(dossier, asked) } }),
  };
}

/** Says in words what of an epoch's keys a dossier shows. */
export function revealsOf(reveals: {
  readonly labelCoins?: readonly unknown[];
  readonly perQuery?: unknown;
  readonly smooth?: unknown;
}): string[] {
  return [
    ...(reveals.labelCoins ? [`label coins of ${reveals.labelCoins.length} leaves`] : []),
    ...(reveals.perQuery ? ['the per-query layer of the questions shown'] : []),
    ...(reveals.smooth ? ['the smooth layer of the epoch'] : []),
  ];
}

async function trustOf(options: VerifyOptions): Promise<Trust> {
  const { ownerKey, availableSince } = options;
  const authorities = await Promise.all(options.authorities.map(readCertificates));
  const chains = await Promise.all(
    (options.beaconChains ?? []).map(async (path) =>
      parseChain(await readJsonDocument(path, 'description of a drand chain')),
    ),
  );
  const witnessed = options.witness === undefined ? [] : await readWitness(options.witness);
  return {
    ...(ownerKey !== undefined && { ownerKey: ownerKey.toLowerCase() }),
    ...(availableSince !== undefined && { availableSince: dateOf(availableSince) }),
    ...(options.choices !== undefined && { choices: choicesOf(options.choices) }),
    ...{ authorities, witnessed, chains },
  };
}

async function readWitness(path: string): Promise<NonNullable<Trust['witnessed']>> {
  const lines = (await readText(path)).split('\n').filter((line) => line.trim() !== '');
  return lines.map((line, index) => {
    const parsed = witnessLine.safeParse(parseJson(line)).data;
    if (parsed !== undefined) {
      return { digest: parsed.digest.replace(/^sha256:/, ''), at: new Date(parsed.at) };
    }
    throw new TouchmarkError('INPUT_INVALID', `${path}:${index + 1} is no witnessed digest`, {
      hint: 'write {"digest": "64 hexadecimal digits", "at": "2026-01-02T03:04:05Z"} on a line',
    });
  });
}

/** What the owner found on relays, and what nobody can tell from a dossier. */
function wayThere(report: unknown): string {
  const { data } = z
    .looseObject({ relay: z.looseObject({ says: z.string() }).nullable() })
    .safeParse(report);
  const found = data?.relay?.says ?? 'It made no relay check.';
  return `learning from the answers is one way; a relay or a cache of the service, and public data with its answers, are others. The owner says: ${found}`;
}

function confirms(
  { findings, predicate: { plan } }: VerifiedDossier,
  { own }: AskedAgain,
): boolean | null {
  if (own.reasked === undefined || findings.verdict !== 'match') return null;
  return own.keyedScore >= neededBans(plan.threshold);
}

function choicesOf(choices: number): number {
  if (choices >= 1 && Number.isFinite(choices)) return choices;
  throw new TouchmarkError('USAGE', `--choices ${choices} is no number of choices`, {
    hint: 'write 1 for none but what is paid for, or 1e6',
  });
}

function dateOf(text: string): Date {
  const date = new Date(text);
  if (!Number.isNaN(date.getTime()) && /^\d{4}-\d{2}-\d{2}/.test(text)) return date;
  throw new TouchmarkError('USAGE', `--available-since ${text} is no date`, {
    hint: 'write 2026-01-02 or 2026-01-02T03:04:05Z',
  });
}

async function readCertificates(path: string): Promise<string> {
  const text = await readText(path);
  if (/-----BEGIN (TRUSTED )?CERTIFICATE-----/.test(text)) return text;
  throw new TouchmarkError('INPUT_INVALID', `${path} holds no certificate in PEM.`, {
    hint: 'Give the certificate of the authority, between BEGIN CERTIFICATE and END CERTIFICATE.',
  });
}

async function readText(path: string): Promise<string> {
  const text = await readTextIfPresent(path);
  if (text === undefined) throw noFile(path);
  return text;
}

function noFile(path: string): TouchmarkError {
  return new TouchmarkError('USAGE', `There is no file ${path}.`, {
    hint: 'Give a path that exists.',
  });
}
