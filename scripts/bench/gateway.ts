import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import autocannon from 'autocannon';
import { initProject } from '../../src/operations/init.ts';
import { drawPools } from '../demo/classifier/snippets.ts';
import { type BenchRow, median } from './measure.ts';

const rounds = 7;
const seconds = 3;
/** Connections at full load, and requests per second where latency is measured. */
const connections = 16;
const calmRate = 400;

const pools = drawPools('gateway bench', 3000);

interface Figures {
  readonly throughput: number;
  readonly p50: number;
  readonly p99: number;
}

/**
 * What the gateway costs over a plain Fastify proxy before the same classifier: both take turns in one
 * run, at full load for throughput and at a calm rate for latency, with a log that keeps everything.
 */
export async function benchGateway(): Promise<readonly BenchRow[]> {
  const directory = mkdtempSync(join(tmpdir(), 'touchmark-bench-'));
  const children: ChildProcess[] = [];
  try {
    const upstream = await started(children, 'upstream.ts');
    const plain = await started(children, 'plain-proxy.ts', `http://127.0.0.1:${upstream}`);
    const gateway = await startGateway(children, directory, upstream);
    const subjects = {
      direct: { url: `http://127.0.0.1:${upstream}` },
      plain: { url: `http://127.0.0.1:${plain}` },
      gateway: { url: gateway.address, token: gateway.token },
    };
    const figures: Record<keyof typeof subjects, Figures[]> = {
      direct: [],
      plain: [],
      gateway: [],
    };
    for (const subject of Object.values(subjects)) await load(subject, {});
    for (let round = 0; round < rounds; round++) {
      for (const name of ['plain', 'gateway', 'direct'] as const) {
        const full = await load(subjects[name], {});
        const calm = await load(subjects[name], { overallRate: calmRate });
        figures[name].push({ ...calm, throughput: full.throughput });
        process.stderr.write(
          `  ${name}: ${full.throughput.toFixed(0)}/s, p50 ${calm.p50.toFixed(2)} ms, p99 ${calm.p99.toFixed(2)} ms\n`,
        );
      }
    }
    const of = (name: keyof typeof subjects, figure: keyof Figures) =>
      median(figures[name].map((each) => each[figure]));
    const row = (name: string, figure: keyof Figures, unit: string): BenchRow => ({
      name: `gateway/${name}`,
      value: of('gateway', figure),
      unit,
      ratio: of('gateway', figure) / of('plain', figure),
      against: `plain-proxy, ${of('plain', figure).toFixed(2)} (no proxy ${of('direct', figure).toFixed(2)})`,
    });
    return [
      row('throughput', 'throughput', `requests/s, ${connections} connections`),
      row('latency-p50', 'p50', `ms at ${calmRate} requests/s`),
      row('latency-p99', 'p99', `ms at ${calmRate} requests/s`),
    ];
  } finally {
    for (const child of children) child.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function started(
  children: ChildProcess[],
  file: string,
  ...given: string[]
): Promise<number> {
  const child = fork(new URL(`./gateway/${file}`, import.meta.url), given);
  children.push(child);
  const [port] = await once(child, 'message');
  return Number(port);
}

/** The command itself, on a project as `init` makes it. */
async function startGateway(children: ChildProcess[], parent: string, upstream: number) {
  const directory = join(parent, 'stamp');
  await initProject({ directory, environment: {} });
  const path = join(directory, 'touchmark.yaml');
  const config = readFileSync(path, 'utf8')
    .replace(/upstream: .*/, `upstream: kserve:http://127.0.0.1:${upstream}/v2/models/m`)
    .replace('port: 8377', 'port: 0');
  writeFileSync(path, config);
  const questions = pools.twin.map(({ text }) => text).slice(0, 1500);
  writeFileSync(join(directory, 'inputs', 'twin.txt'), questions.join('\n'));
  const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;
  const child = spawn(
    process.execPath,
    [...process.execArgv, main, 'serve', '--config', path, '--json'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  children.push(child);
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const { address } = JSON.parse(String(line));
  const token = readFileSync(join(directory, '.touchmark/api-keys/example.key'), 'utf8').trim();
  return { address: String(address), token };
}

async function load(
  { url, token }: { readonly url: string; readonly token?: string },
  options: { readonly overallRate?: number },
): Promise<Figures> {
  const times: number[] = [];
  let asked = 0;
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(
      {
        url: `${url}/v2/models/m/infer`,
        connections,
        duration: seconds,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        ...options,
        requests: [
          {
            setupRequest: (request) => {
              asked += 1;
              const { text } = pools.attacker[asked % pools.attacker.length]!;
              const data = [`${text} ${asked}`];
              const tensor = { name: 'text', datatype: 'BYTES', shape: [1], data };
              return { ...request, body: JSON.stringify({ inputs: [tensor] }) };
            },
          },
        ],
      },
      (error, done) => (error ? reject(error) : resolve(done)),
    );
    instance.on('response', (_client, _status, _bytes, milliseconds) => times.push(milliseconds));
  });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${url}: ${result.non2xx} refusals, ${result.errors} errors`);
  }
  times.sort((left, right) => left - right);
  const at = (share: number) =>
    times[Math.min(times.length - 1, Math.floor(share * times.length))]!;
  return { throughput: times.length / result.duration, p50: at(0.5), p99: at(0.99) };
}
