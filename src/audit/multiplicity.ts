/** What is paid for having looked in more than one place. */
export interface Charge {
  readonly reason: string;
  /** log10 of one over the sealed weight; at least 0. */
  readonly bans: number;
}

export interface Multiplicity {
  /** Tenants that could have been named. */
  readonly tenants: number;
  /** Suspects that are audited together. */
  readonly suspects: number;
  /** Which audit of this suspect this is, from 1; abandoned ones count. */
  readonly audit: number;
  /** Whether coins are read from the whole log or in lots, by whether a set was sealed in time. */
  readonly coinsByStock?: boolean;
}

/**
 * The charges of an audit: uniform weights over tenants and suspects, and 6 / (pi^2 k^2) for the
 * k-th audit of one suspect, so that the weights of all audits ever sum to one.
 *
 * A tenant can steer whether coin traps are sealed before it stops asking, and with it how its coins
 * are read. Each of the two readings has an e-value; half of the weight is on either.
 */
export function charges({
  tenants,
  suspects,
  audit,
  coinsByStock,
}: Multiplicity): readonly Charge[] {
  const list = [
    { reason: `one of ${tenants} tenants is named`, bans: Math.log10(tenants) },
    { reason: `one of ${suspects} suspects is audited`, bans: Math.log10(suspects) },
    {
      reason: `audit ${audit} of this suspect`,
      bans: Math.log10((Math.PI * audit) ** 2 / 6),
    },
    {
      reason: 'coins may be read in the whole log or in lots, half of the weight each',
      bans: coinsByStock ? Math.log10(2) : 0,
    },
  ];
  return list.filter(({ bans }) => bans > 0);
}
