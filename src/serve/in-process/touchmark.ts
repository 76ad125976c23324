import type { AlarmListener, FailurePolicy } from '../failure-policy.ts';
import type { Marking } from '../marking.ts';
import type { TextMarking } from '../text-marking.ts';

/**
 * Finds who asks, in the framework's own request; undefined when nobody known does. What it returns is
 * the name of a tenant with an epoch.
 */
export type TenantOf<Request> = (
  request: Request,
) => string | undefined | Promise<string | undefined>;

/** The watermark inside a program that serves its own model: what every plugin here is given. */
export interface Touchmark<Request = never> {
  readonly tenantOf: TenantOf<Request>;
  /** Marks and records a classifier's answers; absent where no watermark is sealed for one. */
  readonly classifier?: Marking;
  /** Marks and records a language model's answers; absent without a text profile. */
  readonly text?: TextMarking;
  readonly policy: FailurePolicy;
  /** Hears of answers that were served unmarked or unrecorded. */
  readonly onAlarm?: AlarmListener;
  /** Hears of failures on this side of the wire, whose cause clients are not told. */
  readonly onFailure?: (error: unknown) => void;
  /** Closes the log; no answer can be recorded after it. */
  close(): Promise<void>;
}

/** A request in which headers can be found: of node:http, Fastify and Express, or a context of Hono. */
export type RequestWithHeaders =
  | { readonly headers: Readonly<Record<string, string | readonly string[] | undefined>> }
  | { readonly req: { header(name: string): string | undefined } };

/** Returns a header by its name in lower case; undefined without just one. */
export function headerOf(request: RequestWithHeaders, name: string): string | undefined {
  const header = 'headers' in request ? request.headers[name] : request.req.header(name);
  return typeof header === 'string' ? header : undefined;
}
