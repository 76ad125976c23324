import { z } from 'zod';

const command = z
  .array(z.string().min(1))
  .min(1)
  .exactOptional()
  .describe(
    'Program and arguments, run without a shell: [/usr/local/bin/open-ticket, --queue, abuse].',
  );

function step(bans: number, asks: string) {
  return z
    .strictObject({
      at: z.number().min(0).max(100).default(bans).describe('Bans that this step takes, 0 to 100.'),
      command,
    })
    .prefault({})
    .describe(asks);
}

/** The `policy` section: which scores ask for which step, and what is run then. */
export const policySchema = z
  .strictObject({
    notify: step(2, 'Tell the people in charge; evidence of any kind may ask for it.'),
    restrict: step(4, 'Limit what the tenant may ask; keyed evidence alone.'),
    escalate: step(6, 'Bring it before those who decide about claims; keyed evidence alone.'),
    dry: z.boolean().default(true).describe('Only say what would be run. False runs it.'),
    timeoutSeconds: z
      .number()
      .positive()
      .max(600)
      .default(30)
      .describe('How long one command may take before it is ended, at most 600.'),
  })
  .refine(
    ({ notify, restrict, escalate }) => notify.at <= restrict.at && restrict.at <= escalate.at,
    'asks for less at a higher step: notify.at <= restrict.at <= escalate.at',
  )
  .prefault({})
  .describe('What follows from a score. Commands learn of the audit by TOUCHMARK_* and stdin.');

/** A checked policy with every default filled in. */
export type PolicyConfig = z.output<typeof policySchema>;
