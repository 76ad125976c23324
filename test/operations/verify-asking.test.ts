import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { runAudit } from '../../src/operations/audit.ts';
import { dateCheckpoint } from '../../src/operations/log-checkpoints.ts';
import { releaseDossier } from '../../src/operations/release.ts';
import { verify } from '../../src/operations/verify.ts';
import { hasOpenssl, makeAuthority } from '../keys/timestamp-authority.ts';
import {
  createScene,
  lookUpThief,
  ngramModel,
  type Scene,
  serve,
  type TestSuspect,
} from './audit-scene.ts';
import { beaconRelay } from './beacon-relay.ts';

const { signal } = new AbortController();
let scene: Scene;
let thief: TestSuspect;
let owners: TestSuspect;
let innocent: TestSuspect;

beforeAll(async () => {
  scene = await createScene(300, { audit: { freshProbes: 100, batchSize: 40 } });
  thief = await serve(lookUpThief(scene.served));
  owners = await serve(ngramModel());
  innocent = await serve(ngramModel(0.5));
}, 60_000);

afterAll(() => {
  for (const each of [thief, owners, innocent, scene]) each.close();
});

async function dossierOf(name: string): Promise<string> {
  const { dossier } = await runAudit(scene.options(thief.http, name));
  return join(scene.out(name), dossier!.file);
}

function gradeOf(found: Awaited<ReturnType<typeof verify>>, name: string) {
  return found.claims.find(({ claim }) => claim === name)?.grade;
}

describe('asking again', () => {
  it('makes answers and clean answers the reader’s own, unless they are not as stated', async () => {
    const path = await dossierOf('plain');
    const asked = { share: 1, signal };
    const own = await verify({
      ...{ path, authorities: [] },
      reask: { ...asked, suspect: thief.http, baseline: owners.http, out: scene.out('own.json') },
    });
    expect(own.asked!.own).toMatchObject({
      asked: 400,
      reasked: { answered: 400, sameLabel: 400 },
    });
    expect(own.asked!.own.keyedScore).toBeGreaterThan(6);
    expect(gradeOf(own, "the suspect's answers")).toBe('recomputed');
    expect(gradeOf(own, 'the clean answers')).toBe('recomputed');
    expect(own.weakest).toBe('asserted');
    expect(JSON.parse(readFileSync(scene.out('own.json'), 'utf8'))).toMatchObject({
      dossier: own.digest,
      seed: own.asked!.seed,
    });
    const other = await verify({
      ...{ path, authorities: [] },
      reask: { ...asked, suspect: innocent.http },
    });
    expect(other.asked!.own.keyedScore).toBeLessThan(3);
    expect(gradeOf(other, "the suspect's answers")).toBe('asserted');
    const few = { ...asked, share: 0.05, suspect: thief.http, seed: 'public' };
    const [first, second] = [
      await verify({ path, authorities: [], reask: few }),
      await verify({ path, authorities: [], reask: few }),
    ];
    expect(first.asked).toEqual(second.asked);
    expect(first.asked!.spent).toHaveLength(first.asked!.own.asked);
    expect(first.asked!.own.asked).toBeLessThan(60);
    expect(gradeOf(first, "the suspect's answers")).toBe('asserted');
  });
});

describe('releasing a dossier', () => {
  it('ends its epoch for audits, and takes no other owner’s', async () => {
    const path = join(scene.out('plain'), 'plain.dossier.json');
    const kept = readFileSync(path, 'utf8');
    const custody = join(scene.directory, '.touchmark/custody.jsonl');
    const before = readFileSync(custody, 'utf8');
    const foreign = join(scene.directory, 'foreign.dossier.json');
    writeFileSync(foreign, kept.replace('"keyid":"', '"keyid":"0'));
    const { configPath } = scene;
    await expect(releaseDossier({ configPath, path: foreign })).rejects.toMatchObject({
      code: 'EVIDENCE_INVALID',
    });
    expect(readFileSync(custody, 'utf8')).toBe(before);
    const released = await releaseDossier({ configPath, path });
    expect(released.reveals).toContain('the smooth layer of the epoch');
    const after = scene.options(thief.http, 'after');
    await expect(runAudit(after)).rejects.toMatchObject({
      code: 'TRAPS_EXPOSED',
      message: expect.stringContaining(released.digest.slice(7)),
    });
    expect(thief.asked).not.toHaveLength(0);
    writeFileSync(custody, before);
    expect(readFileSync(path, 'utf8')).toBe(kept);
  });
});

describe.skipIf(!hasOpenssl)('a plan that others vouch for', () => {
  it('is ordered by a later round, and its dossier can be graded above the owner’s word', async () => {
    const relay = await beaconRelay();
    const authority = makeAuthority(mkdtempSync(join(tmpdir(), 'touchmark-tsa-')), 'ec');
    const server = createServer(async (request, response) =>
      response.end(authority.answer(await buffer(request))),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const chain = join(scene.directory, 'chain.json');
    const root = join(scene.directory, 'authority.pem');
    const before = readFileSync(scene.configPath, 'utf8');
    const config = parse(before);
    config.audit.beacon = { chain: 'chain.json', relay: relay.address };
    config.audit.timestampAuthority = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    writeFileSync(chain, JSON.stringify(relay.info));
    writeFileSync(root, authority.root);
    writeFileSync(scene.configPath, stringify(config));
    const { configPath } = scene;
    await dateCheckpoint({ configPath, signal, now: new Date() });
    const path = await dossierOf('vouched');
    const vouchers = JSON.parse(readFileSync(join(scene.out('vouched'), 'vouchers.json'), 'utf8'));
    expect(new Set(relay.asked)).toEqual(new Set([vouchers.beacon.round.round]));
    const report = JSON.parse(readFileSync(join(scene.out('vouched'), 'report.json'), 'utf8'));
    expect(report.plan.standing).toBe('timestamped');

    const alone = await verify({ path, authorities: [] });
    expect(gradeOf(alone, 'plan')).toBe('asserted');
    const trusted = { path, authorities: [root], beaconChains: [chain] };
    const availableSince = new Date(Date.now() + 1000).toISOString();
    const early = await verify({ ...trusted, availableSince: '2020-01-01T00:00:00Z' });
    expect(['order', 'plan', 'first look'].map((name) => gradeOf(early, name))).toEqual([
      ...['asserted', 'anchored', 'asserted'],
    ]);
    const reask = { share: 1, signal, suspect: thief.http, baseline: owners.http };
    const most = { ...trusted, availableSince, ownerKey: early.keyIdentifier, choices: 1000 };
    const uncontrolled = await verify({ ...most, reask });
    expect(gradeOf(uncontrolled, "the tenant's questions")).toBe('asserted');
    const found = await verify({ ...most, reask: { ...reask, controls: [innocent.http] } });
    const onTrust = found.claims.filter(({ grade }) => grade === 'asserted');
    expect(onTrust.map(({ claim }) => claim)).toEqual(['first look']);
    expect(found.asked?.confirms).toBe(true);
    expect(found.wayThere).toMatch(/A relay cannot be excluded/);

    config.audit.beacon = { chain: 'chain.json', rounds: 'rounds.json' };
    writeFileSync(scene.configPath, stringify(config));
    const waiting = scene.options(thief.http, 'waiting');
    await expect(runAudit(waiting)).rejects.toMatchObject({
      code: 'RUN_INCOMPLETE',
      message: expect.stringMatching(/nothing was asked yet: its round \d+ of the drand chain/),
    });
    const [, round] = /round (\d+)/.exec(
      await runAudit({ ...waiting, resume: true }).catch(({ message }) => message),
    )!;
    const rounds = join(scene.directory, 'rounds.json');
    writeFileSync(rounds, JSON.stringify(await relay.sign(Number(round))));
    expect((await runAudit({ ...waiting, resume: true })).verdict).toBe('match');
    writeFileSync(scene.configPath, before);
    relay.close();
    server.close();
  }, 60_000);
});
