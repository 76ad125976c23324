/** Trains the demonstration's protected network and builds the region traps that ship for it. */
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { encodeModel } from '../../../src/models/training/model-cache.ts';
import { sealTrapSet } from '../../../src/traps/seal.ts';
import { stderrProgress } from '../../progress.ts';
import { askable, build, trainModels } from '../../trap-power/run-scene.ts';
import { folderCache } from '../../zoo/school.ts';
import { trainProtected } from '../../zoo/subject.ts';
import { textScene } from '../../zoo/texts.ts';
import { networkVersion, protectedNetworkPath } from './protected-network.ts';
import {
  demonstrationSealingKey,
  protectedName,
  shippedSetPath,
  splitsSeed,
} from './shipped-set.ts';

const {
  lots,
  'lot-size': lotSize,
  references,
  source,
  cache,
} = await yargs(hideBin(process.argv))
  .scriptName('npm run demo:trap-set --')
  .usage(
    "$0 [options]\n\nTrains the demonstration's protected network and builds the region traps that ship for it.",
  )
  .option('lots', { type: 'number', default: 12, describe: 'Lots at most' })
  .option('lot-size', { type: 'number', default: 16, describe: 'Traps in a lot' })
  .option('references', { type: 'number', default: 120, describe: 'References of each kind' })
  .option('source', {
    choices: ['pool', 'bisection'] as const,
    default: 'pool' as const,
    describe: 'How traps are found',
  })
  .option('cache', {
    type: 'string',
    default: join('demo-output', 'trap-power'),
    describe: 'Trained models; one found there is not trained again',
  })
  .strict()
  .parseAsync();

const seed = splitsSeed;
const { signal } = new AbortController();
const scene = textScene(seed);
const models = await folderCache(resolve(cache));
const layers = await trainProtected(scene, { seed, cache: models, signal });
const protectedModel = {
  ...askable(scene, layers, signal, stderrProgress()),
  name: protectedName,
  version: networkVersion(layers),
};
const regionModels = await trainModels(scene, protectedModel, {
  ...{ seed, cache: models, count: references, reading: 'protected' },
});
const { set, why, report } = await build(scene, regionModels, protectedModel, {
  ...{ seed, lots, lotSize, source },
});
if (set === undefined) throw new Error(why);
await writeFile(protectedNetworkPath, `${encodeModel(layers)}\n`);
await writeFile(shippedSetPath, `${JSON.stringify(sealTrapSet(set, demonstrationSealingKey))}\n`);
const { stealth, expected } = set;
const said = { lots: set.lots.length, stealth, expected, why, measured: report?.references };
process.stdout.write(`${JSON.stringify(said, null, 2)}\n`);
