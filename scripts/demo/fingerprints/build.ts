/** Rebuilds the fingerprints that ship, byte for byte: of language identifiers that other people made. */
import { readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import type { Outcome, Probe } from '../../../src/contracts.ts';
import { packAnswers } from '../../../src/fingerprints/classifier-answers.ts';
import type { ClassifierFingerprint } from '../../../src/fingerprints/fingerprint.ts';
import { type ClassifierProbeSet, probeSetId } from '../../../src/fingerprints/probe-set.ts';
import { openClassifier } from '../../../src/models/adapters/registry.ts';
import { askProbes, type TimedRunLog } from '../../../src/operations/fingerprints/ask-probes.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';
import { FingerprintStore } from '../../../src/store/fingerprints.ts';
import { loadThirdParties, type ThirdParty } from '../classifier/independents.ts';
import { labels } from '../classifier/languages.ts';
import { serveModel } from '../classifier/model-server.ts';
import { loadProtectedModel } from '../classifier/protected-model.ts';
import { buildLanguageProbes } from './language-probes.ts';

/** When the fingerprints that ship were taken; the same on every rebuild, so that names stay. */
const takenAt = '2026-11-26T00:00:00Z';
const packages: Readonly<Record<string, string>> = {
  cld3: 'cld3-asm',
  fasttext: 'fasttext.wasm.js',
};

const { out } = await yargs(hideBin(process.argv))
  .scriptName('npm run demo:fingerprints --')
  .usage('$0 [options]\n\nRebuilds the fingerprints that ship, byte for byte.')
  .option('out', {
    type: 'string',
    default: resolve(import.meta.dirname, '../../../fingerprints'),
    describe: 'The folder to fill; other fingerprints and probe sets in it are removed',
  })
  .example('$0', 'into fingerprints/')
  .example('$0 --out demo-output/fingerprints', 'elsewhere, to compare')
  .strict()
  .parseAsync();

const probes = buildLanguageProbes();
const store = new FingerprintStore(out);
const kept = new Set<string>([(await store.saveProbeSet(probes)).id]);
const fastText: ThirdParty = {
  name: 'fasttext',
  kind: 'third party, probabilities (npm fasttext.wasm.js)',
  server: { labels, predict: await loadProtectedModel() },
};
for (const party of [...(await loadThirdParties()), fastText]) {
  const { id, document } = await store.saveFingerprint(await fingerprintOf(party, probes));
  kept.add(id);
  process.stdout.write(`${id} ${document.model.name} ${document.model.version}\n`);
}
for (const name of await readdir(out)) {
  const [, id] = /^((?:fingerprint|probes)-[0-9a-f]{16})\.json$/.exec(name) ?? [];
  if (id !== undefined && !kept.has(id)) await rm(join(out, name));
}

/** Asks over HTTP, as `touchmark fingerprints take` does, and keeps no times. */
async function fingerprintOf(
  { name, server }: ThirdParty,
  probeSet: ClassifierProbeSet,
): Promise<ClassifierFingerprint> {
  const predict = withSeededChance(server.predict);
  const served = await serveModel({ name, protocol: 'http', ...server, predict });
  const classifier = openClassifier(served.specification, { labels: probeSet.labels });
  try {
    const { answers, outcomes } = await askProbes({
      classifier,
      probes: probeSet,
      detail: server.labels ? 'probabilities' : 'labels',
      runLog: memoryLog(),
      batchSize: 64,
      times: false,
      signal: new AbortController().signal,
    });
    return {
      schema: 'touchmark/fingerprint@1',
      task: 'classify',
      model: { name, version: versionOf(packages[name] ?? name), address: null },
      probeSet: probeSetId(probeSet),
      takenAt,
      toolkit: 'demo:fingerprints',
      labels: [...probeSet.labels],
      outcomes,
      answers: packAnswers(answers),
    };
  } finally {
    await classifier.close();
    await served.close();
  }
}

/**
 * One of the identifiers (langdetect) draws at random: each of its answers gets draws of its own, so
 * that a rebuild sees the same ones, and a repeated question other ones.
 */
function withSeededChance(predict: ThirdParty['server']['predict']): typeof predict {
  const timesAsked = new Map<string, number>();
  return (text) => {
    const times = timesAsked.get(text) ?? 0;
    timesAsked.set(text, times + 1);
    const { random } = Math;
    Math.random = seededRandom(`${text}/${times}`).uniform;
    try {
      return predict(text);
    } finally {
      Math.random = random;
    }
  };
}

/** The name and version of an npm package that is installed here. */
function versionOf(name: string): string {
  const path = resolve(import.meta.dirname, '../../../node_modules', name, 'package.json');
  const text = readFileSync(path, 'utf8');
  return `${name} ${(JSON.parse(text) as { version: string }).version}`;
}

function memoryLog(): TimedRunLog {
  const known = new Map<string, Outcome>();
  return {
    recall: (probe: Probe) => known.get(probe.id),
    millisecondsOf: () => undefined,
    record: async (outcomes) => {
      for (const { probe, outcome } of outcomes) known.set(probe.id, outcome);
    },
  };
}
