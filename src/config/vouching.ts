import { z } from 'zod';

const address = z.string().regex(/^https?:\/\/\S+$/, 'not of the form https://HOST/PATH');

/** Who is to see each plan before its first question. */
export const timestampAuthoritySchema = address
  .exactOptional()
  .describe('An RFC 3161 authority that dates each plan before its first question: an address.');

/** Where the public randomness comes from that draws the order of an audit's questions. */
export const beaconSchema = z
  .strictObject({
    chain: z
      .string()
      .min(1)
      .default('quicknet')
      .describe('quicknet, default, or a file with another drand chain’s /info as JSON.'),
    relay: address
      .exactOptional()
      .describe('A relay to ask for the round, such as https://api.drand.sh.'),
    rounds: z
      .string()
      .min(1)
      .exactOptional()
      .describe('A file that rounds are put into by hand, where no relay can be reached.'),
  })
  .refine(
    ({ relay, rounds }) => (relay === undefined) !== (rounds === undefined),
    'needs a relay or a file of rounds, one of the two',
  )
  .exactOptional()
  .describe('Public randomness that orders the questions once the plan is sealed: drand.');

export type BeaconConfig = NonNullable<z.output<typeof beaconSchema>>;
