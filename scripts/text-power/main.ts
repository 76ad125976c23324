/** Prints how many tokens each text mark needs to be found, and what students of marked text show. */
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { stderrProgress } from '../progress.ts';
import { readTextCorpus } from '../text-corpus.ts';
import { measureBiased, measureDrafts } from './api.ts';
import { attributionPowerCases, measureAttribution } from './attribution.ts';
import { Scene, schemeCases, temperature, topK } from './scenes.ts';
import { measureCleanStudents, measureStudent } from './students.ts';
import { textTable } from './table.ts';
import { measureTexts } from './texts.ts';

const {
  texts,
  attributed,
  students,
  seed,
  json,
  _: words,
} = await yargs(hideBin(process.argv))
  .scriptName('power')
  .usage('$0 [api]: all text marks, or those through an API only')
  .option('texts', { type: 'number', default: 200, describe: 'texts per scheme' })
  .option('attributed', {
    type: 'number',
    default: 100,
    describe: 'texts per way of telling tenants apart',
  })
  .option('students', { type: 'number', default: 200, describe: 'students of unmarked text' })
  .option('seed', { type: 'string', default: 'power', describe: 'of prompts, keys and draws' })
  .option('json', {
    type: 'boolean',
    default: false,
    describe: 'print one JSON document at the end',
  })
  .check((options) =>
    [options.texts, options.attributed, options.students].every(
      (n) => Number.isSafeInteger(n) && n > 0,
    ),
  )
  .check(({ _: given }) => given.length === 0 || (given.length === 1 && given[0] === 'api'))
  .strictOptions()
  .parseAsync();

const progress = stderrProgress();
const scene = new Scene(await readTextCorpus(), seed);
process.stderr.write(`temperature ${temperature}, top ${topK}, seed ${seed}\n`);

if (words.length > 0) await measureApi();
else await measureAll();

/** Marks through an API that takes a logit_bias, or gives text only. */
async function measureApi(): Promise<void> {
  const biased = await printEach(textTable.biased, [() => measureBiased(scene, progress)]);
  const drafts = await printEach(textTable.drafts, [() => measureDrafts(scene, progress)]);
  if (json)
    process.stdout.write(
      `${JSON.stringify({ seed, temperature, topK, biased, drafts }, null, 2)}\n`,
    );
}

async function measureAll(): Promise<void> {
  const textRows = await print(
    textTable.texts,
    [undefined, ...schemeCases].map((each) => () => measureTexts(scene, each, texts, progress)),
  );
  const attributionRows = await printEach(
    textTable.attribution,
    attributionPowerCases.map(
      (each) => () => measureAttribution(scene, each, attributed, progress),
    ),
  );
  const studentRows = await print(
    textTable.students,
    schemeCases.map((each) => () => measureStudent(scene, each, progress)),
  );
  const cleanRows = await printEach(textTable.clean, [
    () => measureCleanStudents(scene, students, progress),
  ]);
  if (json) {
    const document = {
      seed,
      temperature,
      topK,
      texts: textRows,
      attribution: attributionRows,
      students: studentRows,
      clean: cleanRows,
    };
    process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  }
}

interface Table<Row> {
  readonly header: string;
  readonly line: (row: Row) => string;
}

/** Prints each row as soon as it is there. */
function print<Row>(table: Table<Row>, work: readonly (() => Promise<Row>)[]): Promise<Row[]> {
  return printEach(
    table,
    work.map((measure) => async () => [await measure()]),
  );
}

/** Prints rows that come several at a time. */
async function printEach<Row>(
  table: Table<Row>,
  work: readonly (() => Promise<readonly Row[]>)[],
): Promise<Row[]> {
  if (!json) process.stdout.write(`${table.header}\n`);
  const rows: Row[] = [];
  for (const measure of work) {
    const more = await measure();
    rows.push(...more);
    if (!json) for (const row of more) process.stdout.write(`${table.line(row)}\n`);
  }
  if (!json) process.stdout.write('\n');
  return rows;
}
