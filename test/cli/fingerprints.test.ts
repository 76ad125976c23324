import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { renderDocument } from '../../src/fingerprints/documents.ts';
import { FingerprintStore } from '../../src/store/fingerprints.ts';
import { ngramModel, serve, until } from '../operations/audit-scene.ts';
import { treeProbes } from '../operations/fingerprints/scene.ts';
import { startTinyModel } from '../operations/tiny-project.ts';
import { temporaryDirectory } from '../store/directory.ts';
import { run, startCommand } from './command-line.ts';

/** A directory without a project that has a probe set and, beside it, a model that counts. */
async function scene() {
  const cwd = temporaryDirectory();
  await new FingerprintStore(join(cwd, 'fingerprints')).saveProbeSet(
    treeProbes(90, { pairs: [[0, 89]] }),
  );
  const suspect = await serve(ngramModel());
  onTestFinished(() => suspect.close());
  const words = ['fingerprints', 'take', '--suspect', suspect.kserve, '--name', 'rival'];
  return { cwd, suspect, words };
}

/** What a taking that was cut short has kept. */
function recorded(cwd: string): string[] {
  const taking = join(cwd, '.touchmark/fingerprints/taking');
  const [directory] = existsSync(taking) ? readdirSync(taking) : [];
  const log = join(taking, directory ?? '', 'answers.jsonl');
  if (directory === undefined || !existsSync(log)) return [];
  const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as { id: string }).id);
}

it('goes on after SIGKILL and SIGINT, asks no answered question again, and then forgets', async () => {
  const { cwd, suspect, words } = await scene();
  const whole = await run([...words, '--json'], { cwd });
  expect(whole).toMatchObject({ exitCode: 0 });
  const total = suspect.asked.length;

  suspect.milliseconds = 20;
  const cutShort = async (signal: NodeJS.Signals, isTime: (ids: readonly string[]) => boolean) => {
    suspect.asked.length = 0;
    const child = startCommand(words, { cwd });
    const stderr = text(child.stderr);
    const closed = once(child, 'close');
    await until(() => child.exitCode !== null || isTime(recorded(cwd)));
    child.kill(signal);
    return { closed: await closed, stderr: await stderr };
  };
  const killed = await cutShort('SIGKILL', (ids) => ids.length >= 64);
  expect(killed.closed).toEqual([null, 'SIGKILL']);
  const first = recorded(cwd);
  const interrupted = await cutShort('SIGINT', (ids) => ids.includes('timed/3/0'));
  expect(interrupted.closed).toEqual([130, null]);
  expect(interrupted.stderr).toContain('run the same command again');
  const second = recorded(cwd);
  expect(second.slice(0, first.length)).toEqual(first);
  expect(suspect.asked.length).toBeLessThanOrEqual(total - first.length);

  suspect.milliseconds = 0;
  suspect.asked.length = 0;
  const { exitCode, stdout, stderr } = await run([...words, '--json'], { cwd });
  expect(exitCode).toBe(0);
  expect(suspect.asked).toHaveLength(total - second.length);
  expect(stderr).toMatch(/asking the suspect: \d+ %/);
  expect(recorded(cwd)).toEqual([]);
  const [one, two] = [JSON.parse(whole.stdout), JSON.parse(stdout)];
  expect(two).toMatchObject({ questions: 90, answered: 90, outcomes: one.outcomes });
  const compared = await run(
    ['fingerprints', 'compare', one.fingerprint, two.fingerprint, '--json'],
    { cwd },
  );
  const { quirks } = JSON.parse(compared.stdout) as {
    quirks: { name: string; likeness: number }[];
  };
  for (const { name, likeness } of quirks.filter((each) => each.name !== 'latency-coupling'))
    expect(likeness, name).toBeCloseTo(1, 5);
});

it('compares what ships, says what that does not say, and lists it with one of its own', async () => {
  const { cwd, suspect, words } = await scene();
  suspect.labelsOnly = true;
  const taken = await run(words, { cwd });
  expect(taken.stdout).toMatch(
    /^fingerprint-\w{16} of rival\n90 of 90 questions answered; 100\.0% steady\n/,
  );
  const [compared, listed, refused] = await Promise.all([
    run(['fingerprints', 'compare', 'builtin:cld3', 'builtin:lande'], { cwd }),
    run(['fingerprints', 'list'], { cwd }),
    run(['fingerprints', 'compare', 'builtin:cld3', 'rival'], { cwd }),
  ]);
  expect(compared).toMatchObject({ exitCode: 0, stderr: '' });
  expect(compared.stdout).toMatch(/label-choices +0\.\d\d +█+░*\n/);
  expect(compared.stdout).toMatch(/confidence-profile +- +"cld3" has no probabilities/);
  expect(compared.stdout).toContain('Likeness alone says nothing about where a model learnt');
  expect(listed.stdout).toMatch(/^fingerprint .*\nfingerprint-\w{16} +rival .*\nbuiltin:cld3 /);
  expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
  expect(refused.stderr).toMatch(/label sets differ: only "cld3" has "af", .* more; only "rival"/);
});

it('shows no hostile name of a model or label as it is', async () => {
  const { cwd } = await scene();
  const store = new FingerprintStore(join(cwd, 'fingerprints'));
  const { document } = await store.findFingerprint('builtin:cld3');
  const hostile = '\u001b[2J\u009b31mevil\u202e\nbuiltin:cld3';
  const { id } = await store.saveFingerprint({
    ...document,
    model: { name: hostile, version: hostile, address: hostile },
  });
  const all = [
    ['list'],
    ['list', '--json'],
    ['compare', id, 'builtin:franc'],
    ['compare', id, 'builtin:franc', '--json'],
    ['compare', id, 'no such model'],
  ];
  const said = await Promise.all(all.map((words) => run(['fingerprints', ...words], { cwd })));
  for (const { stdout, stderr } of said) {
    expect(stdout + stderr).toContain('evil');
    expect(stdout + stderr).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
    expect(stdout + stderr).not.toMatch(/^builtin:cld3$/m);
  }
});

it('ends with exit code 3 without answers, and 2 for what cannot be asked or read', async () => {
  const { cwd, suspect, words } = await scene();
  const silent = await startTinyModel((texts) => ({
    answers: texts.map((each) => (each.includes('fox') ? 'ash' : null)),
  }));
  const { document } = await new FingerprintStore(cwd).findFingerprint('builtin:cld3');
  const newer = join(cwd, 'newer.json');
  writeFileSync(newer, renderDocument(document).replace('fingerprint@1', 'fingerprint@2'));
  const [refused, nobody, bearer, unread] = await Promise.all([
    run(['fingerprints', 'take', '--suspect', silent], { cwd }),
    run(['fingerprints', 'take'], { cwd }),
    run([...words, '--suspect-bearer-env', 'NOT_SET'], { cwd }),
    run(['fingerprints', 'compare', newer, 'builtin:cld3'], { cwd }),
  ]);
  expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
  expect(refused.stderr).toContain('answered no question');
  expect(nobody).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--suspect') });
  expect(bearer).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('NOT_SET') });
  expect(unread).toMatchObject({ exitCode: 2, stdout: '' });
  expect(unread.stderr).toMatch(/newer\.json is .*newer .*\n {2}hint: .*Update touchmark/);
  expect(suspect.asked).toEqual([]);
});
