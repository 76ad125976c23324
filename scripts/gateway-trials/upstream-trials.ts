import { canary } from './client.ts';
import { faults } from './model-faults.ts';
import { type ModelProcess, startGateway, startModel } from './processes.ts';
import { makeProject, type TrialProject } from './project.ts';
import { type TrialRow, unless } from './trial.ts';

const answerSeconds = 1;
/** More than a deadline that is kept takes on a busy machine. */
const longest = 1000 * answerSeconds + 3_000;

/**
 * Puts questions to a gateway whose model goes wrong in each way: it must say so in time, with nothing
 * of what the model said, and answer again as soon as the model does.
 */
export async function* meetFaultyModels(isBuilt: boolean, only: RegExp): AsyncGenerator<TrialRow> {
  if (![...Object.keys(faults), 'away'].some((name) => only.test(name))) return;
  let model = await startModel();
  const serve = `answerSeconds: ${answerSeconds}`;
  const project = await makeProject({ modelPort: model.port, tenants: 1, serve });
  const gateway = await startGateway({ configPath: project.configPath, isBuilt });
  const ask = (inFlight = true) => question(gateway.address, project, inFlight);
  try {
    for (const [name, { expected }] of Object.entries(faults)) {
      if (!only.test(name)) continue;
      await model.tell({ fault: name });
      const replies = await Promise.all([ask(), ask(), ask(false)]);
      await model.tell({ fault: null });
      const after = await ask();
      yield rowOf(`model ${name}`, expected, replies, after.status);
    }
    if (only.test('away')) {
      const { port } = model;
      await model.kill();
      const replies = await Promise.all([ask(), ask(), ask(false)]);
      const ready = await fetch(`${gateway.address}/health/ready`);
      model = await startModel(port);
      const row = rowOf('model is away', '503', replies, (await ask()).status);
      yield {
        ...row,
        broken: [...row.broken, ...unless(ready.status === 503, `readiness is ${ready.status}`)],
      };
    }
    const code = await gateway.end('SIGTERM');
    yield {
      trial: 'what operators read of all this',
      seen: `${gateway.stderr().split('\n').length} lines, exit ${code}`,
      broken: [
        ...unless(code === 0, `exit ${code}`),
        ...unless(!gateway.stderr().includes(canary), 'a question on standard error'),
        ...[...project.apiKeys.values()]
          .filter((key) => gateway.stderr().includes(key))
          .map(() => 'an API key on standard error'),
      ],
    };
  } finally {
    await cleanUp(gateway, model, project);
  }
}

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly milliseconds: number;
}

function rowOf(
  trial: string,
  expected: string,
  replies: readonly Reply[],
  after: number,
): TrialRow {
  const slowest = Math.max(...replies.map(({ milliseconds }) => milliseconds));
  const statuses = [...new Set(replies.map(({ status }) => status))];
  const leaks = replies.some(({ text }) => /outputs|srv|login|canary|node_modules/.test(text));
  return {
    trial,
    seen: `${statuses.join(', ')} in ${slowest.toFixed(0)} ms, then ${after}`,
    broken: [
      ...unless(
        statuses.every((status) => expected.includes(`${status}`)),
        `not ${expected}`,
      ),
      ...unless(slowest < longest, `later than ${longest} ms`),
      ...unless(after === 200, 'no answer once the model was well'),
      ...unless(!leaks, 'tells what the model said'),
    ],
  };
}

/** @param inFlight in the model's own protocol, which goes another way than plain JSON */
async function question(
  address: string,
  { apiKeys }: TrialProject,
  inFlight: boolean,
): Promise<Reply> {
  const [apiKey] = apiKeys.values();
  const begun = performance.now();
  const data = [canary, `${canary}s`];
  const inputs = inFlight ? [{ name: 'text', datatype: 'BYTES', shape: [2], data }] : data;
  const response = await fetch(address + (inFlight ? '/v2/models/letters/infer' : '/classify'), {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ inputs }),
  });
  const text = await response.text();
  return { status: response.status, text, milliseconds: performance.now() - begun };
}

async function cleanUp(
  gateway: { end(signal: 'SIGKILL'): Promise<unknown> },
  model: ModelProcess,
  project: TrialProject,
): Promise<void> {
  await gateway.end('SIGKILL');
  await model.kill();
  project.remove();
}
