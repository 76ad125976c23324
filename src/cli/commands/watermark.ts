import type { Argv } from 'yargs';
import type { FitSummary } from '../../operations/fit-tally.ts';
import type { FailedLine } from '../../operations/json-lines.ts';
import { flags } from '../flags.ts';
import { concludeLines, openLineStream, writeJsonLines } from '../json-lines.ts';
import { note, print } from '../terminal.ts';
import { keyFlags, lineFlags, watermarkOptions } from '../watermark-flags.ts';

const oneLineEach =
  'A line that cannot be used becomes {"line", "error"} in its place, and the exit code is 2 at the end.';

const reasonsInPlace = 'each has its reason in its place';
const reasonsAbove = 'the reasons are above, and the rest is the result';

/** Adds `watermark embed`, `choose`, `detect` and `attribute`. */
export function addWatermark(program: Argv): Argv {
  return program.command('watermark', 'Text marks over streams of JSON lines', (group) =>
    addAttribute(addDetect(addChoose(addEmbed(group)))).demandCommand(
      1,
      'Say what to do: watermark embed, choose, detect or attribute.',
    ),
  );
}

function addEmbed(group: Argv): Argv {
  return group.command(
    'embed',
    'Mark the logits of one decoding step per line',
    (command) =>
      command
        .options({
          ...keyFlags,
          in: flags.in,
          'logit-bias': flags['logit-bias'],
          limit: flags.limit,
        })
        .example(
          `echo '{"tokens": [5, 6], "promptLength": 1, "candidates": [7, 8], "logits": [0.1, 0]}' | $0 watermark embed --profile text.json --tenant acme`,
          'a step whose engine has cut to two candidates',
        )
        .example(
          '$0 watermark embed --profile fixed.json --tenant acme --logit-bias --limit 300',
          'for an API that takes a logit_bias',
        )
        .epilogue(
          `A line has tokens (ids so far, prompt first), promptLength, logits (for every id, or for those in candidates; null for -Infinity), and perhaps temperature, topK and id. Out come the marked logits in the same form, marked, and chosen where the scheme leaves one token; others are sampled at temperature 1. ${oneLineEach}`,
        ),
    async (options) => {
      const { embedLines, logitBias } = await import('../../operations/watermark-embed.ts');
      const chosen = await watermarkOptions(options);
      if (options.logitBias) {
        const limit = options.limit === undefined ? {} : { limit: options.limit };
        return print(JSON.stringify(await logitBias({ ...chosen, ...limit })));
      }
      const stream = openLineStream(options.in);
      await writeJsonLines(embedLines(stream, chosen));
      concludeLines(stream.counts, reasonsInPlace);
    },
  );
}

function addChoose(group: Argv): Argv {
  return group.command(
    'choose',
    'Choose what to bias through an API, from unmarked answers',
    (command) =>
      command
        .options({
          profile: flags.profile,
          ...lineFlags,
          limit: {
            ...flags.limit,
            demandOption: true,
            describe: 'the most tokens that the API takes: often 300 or 1,024',
          },
          bias: { type: 'number', requiresArg: true, describe: 'logits to add or take' },
          variation: {
            type: 'number',
            requiresArg: true,
            describe: 'the mean total variation of next tokens that the bias may cost',
          },
        })
        .conflicts('bias', 'variation')
        .check((given) => {
          if (given.bias === undefined && given.variation === undefined) {
            throw new Error('Say how strong the mark is to be: --bias or --variation.');
          }
          return true;
        })
        .example(
          '$0 watermark choose --profile fixed.json --limit 300 --variation 0.05 < unmarked.jsonl > biased.json',
          'the 300 most telling tokens',
        )
        .epilogue(
          'A line is one unmarked answer of the model to be served: tokens or text, promptLength or prompt as in watermark detect, and logProbabilities of its tokens where the API gives them. Out comes a text profile with the tokenizer of --profile and a biased list; no key is read. Lines that cannot be used are noted, and the exit code is 2 at the end.',
        ),
    async (options) => {
      const { chooseList } = await import('../../operations/watermark-choose.ts');
      const stream = openLineStream(options.in);
      const { bias, variation = Number.NaN } = options;
      const chosen = await chooseList(stream, {
        profilePath: options.profile,
        limit: options.limit,
        strength: bias === undefined ? { variation } : { bias },
        onFailure: noteFailure,
        ...(options.tokenizer !== undefined && { tokenizerFolder: options.tokenizer }),
      });
      note(
        `mean total variation at most ${chosen.variation.toPrecision(2)} to first order, and at no step above ${chosen.largestVariation.toPrecision(2)}`,
      );
      await print(JSON.stringify(chosen.profile));
      concludeLines(stream.counts, reasonsAbove);
    },
  );
}

function addDetect(group: Argv): Argv {
  return group.command(
    'detect',
    'Test each text of a stream, or all together, for a mark',
    (command) =>
      command
        .options({
          ...keyFlags,
          ...lineFlags,
          together: flags.together,
          diagnose: flags.diagnose,
        })
        .example(
          `echo '{"id": 1, "tokens": [5, 6, 7, 8], "promptLength": 1}' | $0 watermark detect --profile text.json --tenant acme`,
          'token ids, with the prompt counted',
        )
        .example(
          '$0 watermark detect --profile vllm.json --key-file vllm-key.json --together < texts.jsonl',
          "another stack's mark, over all texts",
        )
        .example(
          'parallel --pipe $0 watermark detect --profile text.json --tenant acme < texts.jsonl',
          'on every core',
        )
        .epilogue(
          `A line has tokens or text, promptLength (of the tokens) or prompt (text or ids), and perhaps id and tokenizer. Out come log10P and log10E, what was scored and skipped, and the checks whether the profile fits: a prompt that is not told is a check that was not made. ${oneLineEach}`,
        ),
    async (options) => {
      const { detectLines, detectTogether } = await import('../../operations/watermark-detect.ts');
      const { FitTally } = await import('../../operations/fit-tally.ts');
      const chosen = await watermarkOptions(options);
      const stream = openLineStream(options.in);
      if (options.together) {
        const result = await detectTogether(stream, { ...chosen, onFailure: noteFailure });
        sayMisfits(result.checks);
        await print(JSON.stringify(result));
        concludeLines(stream.counts, reasonsAbove);
      } else {
        const fit = new FitTally();
        const texts = detectLines({ ...stream, fit }, { ...chosen, diagnose: options.diagnose });
        await writeJsonLines(texts);
        sayMisfits(fit.summaries);
        concludeLines(stream.counts, reasonsInPlace);
      }
    },
  );
}

function addAttribute(group: Argv): Argv {
  const { config, profile, 'common-tenant': commonTenant, 'common-epoch': commonEpoch } = flags;
  return group.command(
    'attribute',
    'Say which tenants of the ring a stream of texts came from',
    (command) =>
      command
        .options({
          config,
          profile,
          'common-tenant': commonTenant,
          'common-epoch': commonEpoch,
          accuse: flags.accuse,
          ...lineFlags,
        })
        .example(
          '$0 watermark attribute --profile tenants.json --common-tenant everybody < texts.jsonl',
          'screen all tenants',
        )
        .example(
          '$0 watermark attribute --profile text.json --accuse all < texts.jsonl',
          'test every tenant by its own keys',
        )
        .epilogue(
          'Lines are those of watermark detect; one result comes out. A screening says whom to look at and accuses nobody; a case is made by independent keys only, and log10PAdjusted and log10EAdjusted pay for all keys that were tried.',
        ),
    async (options) => {
      const { attributeTexts } = await import('../../operations/watermark-attribute.ts');
      const stream = openLineStream(options.in);
      const result = await attributeTexts(stream, {
        configPath: options.config,
        profilePath: options.profile,
        onFailure: noteFailure,
        ...(options.commonTenant !== undefined && { commonTenant: options.commonTenant }),
        ...(options.commonEpoch !== undefined && { commonEpoch: options.commonEpoch }),
        ...(options.accuse !== undefined && { accuse: tenantNames(options.accuse) }),
        ...(options.tokenizer !== undefined && { tokenizerFolder: options.tokenizer }),
      });
      sayMisfits(result.checks);
      await print(JSON.stringify(result));
      concludeLines(stream.counts, reasonsAbove);
    },
  );
}

function tenantNames(list: string): 'all' | string[] {
  return list === 'all' ? 'all' : list.split(',').filter((name) => name !== '');
}

function noteFailure({ line, error }: FailedLine): void {
  note(`line ${line}: ${error.message}`);
}

/** Says on stderr what did not fit or was not checked, with the reason of the first text. */
function sayMisfits(summaries: readonly FitSummary[]): void {
  for (const { check, failed, notChecked, passed, detail } of summaries) {
    const texts = failed + notChecked + passed;
    if (failed > 0) note(`${check}: FAILED for ${failed} of ${texts} texts. ${detail ?? ''}`);
    if (notChecked > 0) {
      note(
        `${check}: not checked for ${notChecked} of ${texts} texts. ${failed > 0 ? '' : (detail ?? '')}`,
      );
    }
  }
}
