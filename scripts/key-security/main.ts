/**
 * Searches marked text for the keys that marked it, and prints how many were found: those of
 * synthid-hf, part by part, and by the same search those of `native`.
 *
 * Run: npm run key-security [-- --parts N] [-- --json]
 */

import { createHash } from 'node:crypto';
import yargs from 'yargs';
import { foreignTextKey } from '../../src/watermark/text/text-key.ts';
import { openTextWatermark } from '../../src/watermark/text/watermark.ts';
import { chanceZ, type Found, searchNativeKey, searchTableKeys } from './attack.ts';
import { markedText, tournamentProfile } from './marked-text.ts';

interface Row {
  readonly prf: string;
  readonly tokens: number;
  /** Mean entropy of a token before the mark, in bits. */
  readonly entropy: number;
  readonly recovered: number;
  readonly secrets: number;
  /** The highest z of a guess, and the lowest among those kept. */
  readonly highestZ: number;
  readonly lowestZ: number;
}

const lengths = [100, 400, 1000, 4000];
const deviations = [4, 2.5];
const depth = 30;

const options = await yargs(process.argv.slice(2))
  .options({
    parts: {
      type: 'number',
      default: 4,
      describe: 'how many of the sixteen parts of the native key to search for',
    },
    json: { type: 'boolean', default: false, describe: 'print the rows as JSON' },
  })
  .strict()
  .parse();

const epochKey = createHash('sha256').update('the key that the search is to find').digest();

function rowOf(prf: string, tokens: number, entropy: number, found: Found): Row {
  const zs = found.best.map(({ z }) => z);
  const { recovered, secrets } = found;
  const [highestZ, lowestZ] = [Math.max(...zs), Math.min(...zs)];
  return { prf, tokens, entropy, recovered, secrets, highestZ, lowestZ };
}

function* rows(): Generator<Row> {
  const synthId = tournamentProfile({ name: 'synthid-hf', ngramLength: 5 });
  const keys = secretKeys();
  const marked = openTextWatermark(synthId, { stack: 'synthid', keys });
  for (const deviation of deviations) {
    for (const length of lengths) {
      const { pairs, entropy } = markedText(marked, `synthid ${length}`, length, deviation);
      yield rowOf('synthid-hf', length, entropy, searchTableKeys(pairs, keys));
    }
  }
  const native = tournamentProfile({ name: 'native', contextWidth: 4 });
  const ours = openTextWatermark(native, { stack: 'touchmark', epochKey });
  const length = 1000;
  const { pairs, entropy } = markedText(ours, 'native', length, deviations[1] ?? 1);
  const found = searchNativeKey(pairs, epochKey, { depth, parts: options.parts });
  yield rowOf('native', length, entropy, found);
}

/** Thirty keys of 32 bits, as `keys export` makes them. */
function secretKeys(): readonly number[] {
  const key = foreignTextKey(epochKey, 'synthid', depth);
  if (key.stack !== 'synthid') throw new TypeError('keys of another stack');
  return key.keys;
}

const all: Row[] = [];
if (!options.json) {
  console.log('function     tokens  bits/token  secrets of 16 bits  recovered  z of those kept');
}
for (const row of rows()) {
  all.push(row);
  if (options.json) continue;
  const { prf, tokens, entropy, recovered, secrets, highestZ, lowestZ } = row;
  console.log(
    [
      prf.padEnd(11),
      String(tokens).padStart(7),
      entropy.toFixed(1).padStart(11),
      String(secrets).padStart(19),
      String(recovered).padStart(10),
      `  ${lowestZ.toFixed(1)} to ${highestZ.toFixed(1)}`,
    ].join(' '),
  );
}
if (options.json) console.log(JSON.stringify({ chanceZ, rows: all }, undefined, 2));
else console.log(`The best of 65,536 wrong guesses has a z of ${chanceZ} on average.`);
