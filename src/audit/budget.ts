import { TouchmarkError } from '../errors.ts';

/** What an audit may cost, over all of its resumes. Money is in the currency of the prices. */
export interface BudgetLimits {
  readonly requests?: number;
  /** As the suspect counts them in `usage.total_tokens`. */
  readonly tokens?: number;
  readonly money?: number;
  readonly seconds?: number;
  readonly pricePerRequest?: number;
  readonly pricePerThousandTokens?: number;
}

/** What an audit has cost. */
export interface Spending {
  readonly requests: number;
  readonly tokens: number;
  readonly seconds: number;
}

/**
 * Counts what an audit costs, and ends it when a limit is reached. Requests are counted before they
 * leave, so their limit holds exactly; tokens are known when answers come, so those of the requests
 * under way may come on top.
 */
export class Budget {
  readonly #limits: BudgetLimits;
  readonly #before: Spending;
  readonly #begun = performance.now();
  #requests = 0;
  #tokens = 0;

  /**
   * @param before what earlier sessions of the same audit have cost
   * @throws CONFIG_INVALID when money is limited and nothing has a price
   */
  constructor(limits: BudgetLimits, before: Spending = { requests: 0, tokens: 0, seconds: 0 }) {
    const { money, pricePerRequest, pricePerThousandTokens } = limits;
    if (money !== undefined && (pricePerRequest ?? pricePerThousandTokens) === undefined) {
      throw new TouchmarkError('CONFIG_INVALID', 'the budget limits money and names no price', {
        hint: 'give the price of a request or of a thousand tokens',
      });
    }
    this.#limits = limits;
    this.#before = before;
  }

  get spending(): Spending & { readonly money: number } {
    const { pricePerRequest = 0, pricePerThousandTokens = 0 } = this.#limits;
    const requests = this.#before.requests + this.#requests;
    const tokens = this.#before.tokens + this.#tokens;
    return {
      requests,
      tokens,
      seconds: this.#before.seconds + (performance.now() - this.#begun) / 1000,
      money: requests * pricePerRequest + (tokens / 1000) * pricePerThousandTokens,
    };
  }

  /** Counts one more request. @throws RUN_INCOMPLETE naming the limit that leaves no room for it */
  admit(): void {
    const { requests, tokens, seconds, money } = this.spending;
    const { pricePerRequest = 0 } = this.#limits;
    this.#require('requests', requests, requests + 1 <= (this.#limits.requests ?? Infinity));
    this.#require('tokens', tokens, tokens < (this.#limits.tokens ?? Infinity));
    const price = pricePerRequest > 0 ? money + pricePerRequest : money;
    const room = pricePerRequest > 0 ? price <= this.#moneyLimit : price < this.#moneyLimit;
    this.#require('money', money, room);
    this.#require('seconds', seconds, seconds < (this.#limits.seconds ?? Infinity));
    this.#requests += 1;
  }

  /** Counts tokens that an answer has cost. */
  spend(tokens: number): void {
    this.#tokens += tokens;
  }

  /** Sums of prices are rounded; a billionth is no money. */
  get #moneyLimit(): number {
    return (this.#limits.money ?? Infinity) * (1 + 1e-9);
  }

  #require(what: 'requests' | 'tokens' | 'money' | 'seconds', spent: number, room: boolean): void {
    if (room) return;
    const shown = Number.isInteger(spent) ? spent : Number(spent.toPrecision(4));
    throw new TouchmarkError(
      'RUN_INCOMPLETE',
      `the audit has spent its budget of ${what}: ${shown} of ${this.#limits[what]}`,
      { hint: 'what was answered is kept: raise the limit and go on with --resume' },
    );
  }
}
