import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseReport } from '../../src/report/json.ts';
import {
  createScene,
  filesIn,
  leaks,
  lookUpThief,
  recorded,
  repeats,
  type Scene,
  serve,
  type TestSuspect,
  until,
} from '../operations/audit-scene.ts';
import { type Ended, run, startCommand } from './command-line.ts';

const sentinel = 'bearer-sentinel-0123456789';

let scene: Scene;
let suspect: TestSuspect;
beforeAll(async () => {
  scene = await createScene(400);
  suspect = await serve(lookUpThief(scene.served));
});
afterAll(() => {
  suspect.close();
  scene.close();
});

const words = (name: string, address: string, ...more: readonly string[]): string[] => [
  'audit',
  ...['--config', scene.configPath, '--suspect', address, '--out', scene.out(name)],
  ...(more.includes('--tenant') ? [] : ['--tenant', 'example']),
  ...more,
];
const options = () => ({ cwd: scene.directory, environment: { SUSPECT_BEARER: sentinel } });
const audit = (...all: Parameters<typeof words>): Promise<Ended> => run(words(...all), options());

describe('touchmark audit', () => {
  it('survives SIGKILL and SIGINT, asks no answered probe again, trips --fail-on and prints its finding', async () => {
    const out = scene.out('thief');
    const all = ['--suspect-bearer-env', 'SUSPECT_BEARER', '--fail-on', 'match', '--json'];
    suspect.milliseconds = 40;
    const said: string[] = [];
    const cutShort = async (signal: NodeJS.Signals, more: readonly string[], answers: number) => {
      const child = startCommand(words('thief', suspect.kserve, ...all, ...more), options());
      const output = Promise.all([text(child.stdout), text(child.stderr)]);
      const closed = once(child, 'close');
      await until(
        () =>
          child.exitCode !== null ||
          (existsSync(join(out, 'answers.jsonl')) && recorded(out).length >= answers),
      );
      child.kill(signal);
      said.push(...(await output));
      return closed;
    };
    expect(await cutShort('SIGKILL', [], 64)).toEqual([null, 'SIGKILL']);
    const first = recorded(out);
    suspect.asked.length = 0;
    expect(await cutShort('SIGINT', ['--resume'], first.length + 64)).toEqual([130, null]);
    expect(said.at(-1)).toMatch(/interrupted after \d+ probes\n.*--resume/);
    const second = recorded(out);
    expect(second.slice(0, first.length)).toEqual(first);
    expect(suspect.asked.length).toBeLessThanOrEqual(560 - first.length);

    suspect.asked.length = 0;
    suspect.milliseconds = 0;
    const { exitCode, stdout, stderr } = await audit('thief', suspect.kserve, ...all, '--resume');
    expect(exitCode).toBe(10);
    expect(suspect.asked).toHaveLength(560 + repeats - second.length);
    expect(new Set(recorded(out)).size).toBe(560);
    expect(recorded(out)).toHaveLength(560);
    const report = parseReport(stdout);
    expect(report).toMatchObject({ verdict: 'match', run: { probesAsked: 560, answered: 560 } });
    expect(report).toEqual(parseReport(readFileSync(join(out, 'report.json'), 'utf8')));
    expect(stderr).toMatch(/asking the suspect/);
    expect(stderr).not.toMatch(/training/);
    expect(suspect.bearers).toEqual(new Set([`Bearer ${sentinel}`]));

    const written = filesIn(out).map((file) => file.text);
    expect(written.length).toBeGreaterThanOrEqual(5);
    expect(leaks([...scene.secrets, sentinel], [...written, ...said, stdout, stderr])).toEqual([]);

    const finished = await audit('thief', suspect.kserve, '--resume');
    expect(finished.exitCode).toBe(0);
    expect(finished.stdout).toMatch(
      /^MATCH, RELAY NOT EXCLUDED {2}m\n[\s\S]*label-coins +keyed +yes/,
    );
    expect(finished.stdout).toContain(join(out, 'report.html'));
  });

  it('ends before anybody is asked or trained when it cannot come to anything', async () => {
    mkdirSync(scene.out('taken'), { recursive: true });
    const plan = join(scene.out('taken'), 'plan.json');
    writeFileSync(plan, '{}');
    suspect.asked.length = 0;
    const unreachable = await serve(() => []);
    unreachable.close();
    const [gone, taken, tenant] = await Promise.all([
      audit('gone', unreachable.http),
      audit('taken', suspect.http),
      audit('a', suspect.http, '--tenant', 'nobody'),
    ]);
    const refused = (message: RegExp) => ({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(message),
    });
    expect(taken).toEqual(refused(/already holds an audit\n {2}hint: .*--resume/));
    expect(tenant).toEqual(refused(/"nobody"[\s\S]*example/));
    expect(suspect.asked).toEqual([]);
    expect(gone).toMatchObject({ exitCode: 3, stdout: '' });
    expect(gone.stderr).toMatch(/cannot be reached: ECONNREFUSED/);
    expect(gone.stderr).not.toMatch(/training|protected model/);
    expect(existsSync(scene.out('gone'))).toBe(false);
    rmSync(scene.out('taken'), { recursive: true });
  });
});
