import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TouchmarkError } from '../../src/errors.ts';
import { rehearse, storedRehearsals } from '../../src/operations/rehearse.ts';
import { createScene, filesIn, leaks, type Scene, sentences, until } from './audit-scene.ts';
import { smallRehearsal } from './small-rehearsal.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const loader = createRequire(import.meta.url).resolve('tsx');
let scene: Scene;
let questions: string;
const folder = () => join(scene.directory, '.touchmark', 'rehearsals');
const workLines = (): string[] =>
  filesIn(folder())
    .filter(({ name }) => name.endsWith('.jsonl'))
    .flatMap(({ text }) => text.split('\n').slice(0, -1));

beforeAll(async () => {
  scene = await createScene(0, { audit: { freshProbes: 250, batchSize: 16 } });
  const fresh = join(scene.directory, 'inputs/fresh.txt');
  writeFileSync(fresh, `${readFileSync(fresh, 'utf8')}\n${sentences(3, 'fresh').join('\n')}`);
  questions = join(scene.directory, 'questions.txt');
  writeFileSync(questions, sentences(450, 'rehearsed').join('\n'));
});
afterAll(() => scene.close());

describe('rehearse', () => {
  it('goes on after kill -9 and a signal with the students that were kept, and stores one document', async () => {
    const options = smallRehearsal(scene.configPath, questions);
    const script = join(import.meta.dirname, 'rehearsing-child.ts');
    const child = spawn(
      process.execPath,
      ['--import', loader, script, scene.configPath, questions],
      { stdio: 'ignore' },
    );
    await until(() => keptSoFar() > 2);
    child.kill('SIGKILL');
    await once(child, 'close');
    const kept = workLines();
    expect(kept.length).toBeLessThan(11);

    const stop = new AbortController();
    const interrupted = rehearse({
      ...options,
      signal: stop.signal,
      progress: (stage) => {
        if (stage.includes('twin')) stop.abort(new TouchmarkError('INTERRUPTED', 'Interrupted.'));
      },
    });
    await expect(interrupted).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(workLines()).toEqual(kept);

    const { rehearsal, id } = await rehearse(options);
    expect(workLines()).toEqual([]);
    const [first, ...scores] = kept.map((line) => JSON.parse(line));
    expect(rehearsal.seed).toBe(first.seed);
    const bans = rehearsal.budgets.flatMap(({ answers, students }) =>
      students.map((student) => `${answers}/${student.family}/${student.bans}`),
    );
    for (const { job, family, bans: score } of scores) {
      const [part, answers] = job.split('/');
      if (part === 'surrogate') expect(bans).toContain(`${answers}/${family}/${score}`);
    }
    expect(await storedRehearsals(scene)).toEqual([rehearsal]);
    expect(readdirSync(folder())).toContain(`${id}.json`);
  });

  it('says what was rehearsed, as an audit of the project would be', async () => {
    const [rehearsal] = await storedRehearsals(scene);
    expect(rehearsal).toMatchObject({
      shape: 'labels',
      families: ['network-0', 'perceptron'],
      questions: { source: 'file', count: 450 },
      probes: { fresh: 200, logged: 5000, coins: 'all' },
      threshold: 6,
      controls: { source: 'clean answers', trained: 2, matched: 0 },
      quick: false,
    });
    expect(rehearsal!.budgets.map(({ answers, trained }) => [answers, trained])).toEqual([
      [100, 4],
      [400, 4],
    ]);
    const [few, many] = rehearsal!.budgets;
    expect(many!.bans.median).toBeGreaterThan(few!.bans.median);
    expect(many!.asked.logged).toBe(400);
  });

  it('draws other keys each time, so that repeated rehearsals can be pooled', async () => {
    const options = smallRehearsal(scene.configPath, questions);
    const again = await rehearse({ ...options, budgets: [100] });
    const [first] = (await storedRehearsals(scene)).filter(
      ({ seed }) => seed !== again.rehearsal.seed,
    );
    expect(again.rehearsal.budgets[0]!.students).not.toEqual(first!.budgets[0]!.students);
  });

  it.each([
    [{ budgets: [451] }, 'INPUT_INVALID'],
    [{ budgets: [1.5] }, 'USAGE'],
    [{ keys: 0 }, 'USAGE'],
    [{ families: ['network-7'] }, 'USAGE'],
    [{ families: ['forest'] }, 'USAGE'],
  ])('refuses %j before anything is trained', async (change, code) => {
    const options = smallRehearsal(scene.configPath, questions);
    await expect(rehearse({ ...options, ...change })).rejects.toMatchObject({ code });
    expect(workLines()).toEqual([]);
  });

  it('writes no key of the project', () => {
    const texts = filesIn(folder()).map(({ text }) => text);
    expect(leaks(scene.secrets, texts)).toEqual([]);
    expect(texts.length).toBeGreaterThan(0);
  });

  it('finds a rehearsal that was edited', async () => {
    const [name] = readdirSync(folder()).filter((each) => each.endsWith('.json'));
    const path = join(folder(), name!);
    writeFileSync(path, readFileSync(path, 'utf8').replace('"matched": 0', '"matched": 1'));
    await expect(storedRehearsals(scene)).rejects.toMatchObject({ code: 'EVIDENCE_INVALID' });
  });
});

/** Lines of the work so far; -1 before there is any. */
function keptSoFar(): number {
  try {
    return workLines().length;
  } catch {
    return -1;
  }
}
