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
/** Connections that ask as fast as they are answered, for throughput and for latency. */
const full = 16;
const calm = 1;

const pools = drawPools('gateway bench', 3000);

/**
 * What stands behind both: a model that takes 5 ms on a machine of its own, a small network on these
 * cores, or a model that takes no time at all.
 */
const models = {
  elsewhere: 'a model that takes 5 ms elsewhere',
  network: 'a network that takes 1 ms of these cores',
  instant: 'a model that takes no time',
} as const;
type Model = keyof typeof models;
type Figure = 'throughput' | 'p50' | 'p99';
type Figures = Readonly<Record<Figure, number>>;

/**
 * What the gateway costs over a plain Fastify proxy before the same classifier of 24 classes: both take
 * turns in one run, with a log that keeps everything.
 */
export async function benchGateway(): Promise<readonly BenchRow[]> {
  const compared = {
    elsewhere: await compare('elsewhere'),
    network: await compare('network'),
    instant: await compare('instant'),
  };
  const throughput = (name: string, model: Model): BenchRow => {
    const { plain, gateway } = compared[model];
    return {
      name: `gateway/${name}`,
      value: gateway('throughput'),
      unit: `requests/s before ${models[model]}, ${full} connections`,
      ratio: gateway('throughput') / plain('throughput'),
      against: `plain-proxy, ${plain('throughput').toFixed(0)}`,
    };
  };
  const latency = (name: string, figure: Figure): BenchRow => {
    const { plain, gateway } = compared.elsewhere;
    return {
      name: `gateway/${name}`,
      value: gateway(figure) - plain(figure),
      unit: `ms added before ${models.elsewhere}, ${calm} connection`,
      ratio: gateway(figure) / plain(figure),
      against: `plain-proxy, ${plain(figure).toFixed(2)} ms`,
    };
  };
  return [
    throughput('throughput', 'elsewhere'),
    latency('latency-p50', 'p50'),
    latency('latency-p99', 'p99'),
    throughput('throughput-network', 'network'),
    throughput('throughput-instant', 'instant'),
  ];
}

/** The medians over all rounds. */
interface Compared {
  plain(figure: Figure): number;
  gateway(figure: Figure): number;
}

async function compare(model: Model): Promise<Compared> {
  const directory = mkdtempSync(join(tmpdir(), 'touchmark-bench-'));
  const children: ChildProcess[] = [];
  try {
    const upstream = await started(children, 'upstream.ts', model);
    const plain = await started(children, 'plain-proxy.ts', `http://127.0.0.1:${upstream}`);
    const gateway = await startGateway(children, directory, upstream);
    const subjects = { plain: { url: `http://127.0.0.1:${plain}` }, gateway };
    const figures: Record<keyof typeof subjects, Figures[]> = { plain: [], gateway: [] };
    for (const subject of Object.values(subjects)) await load(subject, full);
    for (let round = 0; round < rounds; round++) {
      for (const name of ['plain', 'gateway'] as const) {
        const { throughput } = await load(subjects[name], full);
        const { p50, p99 } = await load(subjects[name], calm);
        figures[name].push({ throughput, p50, p99 });
        process.stderr.write(
          `  ${model}, ${name}: ${throughput.toFixed(0)}/s, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms\n`,
        );
      }
    }
    const medianOf = (all: readonly Figures[]) => (figure: Figure) =>
      median(all.map((each) => each[figure]));
    return { plain: medianOf(figures.plain), gateway: medianOf(figures.gateway) };
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
  return { url: String(address), token };
}

async function load(
  { url, token }: { readonly url: string; readonly token?: string },
  connections: number,
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
