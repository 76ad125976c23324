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
}

/**
 * The charges of an audit: uniform weights over tenants and suspects, and 6 / (pi^2 k^2) for the
 * k-th audit of one suspect, so that the weights of all audits ever sum to one.
 */
export function charges({ tenants, suspects, audit }: Multiplicity): readonly Charge[] {
  const list = [
    { reason: `one of ${tenants} tenants is named`, bans: Math.log10(tenants) },
    { reason: `one of ${suspects} suspects is audited`, bans: Math.log10(suspects) },
    {
      reason: `audit ${audit} of this suspect`,
      bans: Math.log10((Math.PI * audit) ** 2 / 6),
    },
  ];
  return list.filter(({ bans }) => bans > 0);
}
