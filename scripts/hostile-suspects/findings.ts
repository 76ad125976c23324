import { existsSync } from 'node:fs';
import { filesIn, leaks } from '../../test/operations/audit-scene.ts';

/** What no terminal, page or document may get from a suspect: C0, C1, and what turns text round. */
const controls = /(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u;

/** Markup of hostile suspects that would do something if it got into a page as it is. */
const liveMarkup = ['<img src=x', '<script>alert', '<svg/onload', 'href="javascript:'];

/** What an audit has left behind. */
export interface Traces {
  /** Its run directory; there may be none. */
  readonly out: string;
  readonly streams: readonly string[];
  readonly secrets: readonly string[];
  /** A file that appears when something of a suspect was executed. */
  readonly canary: string;
  /** Requests that reached the place redirects lead to. */
  readonly trapped: readonly string[];
}

/** Returns what is wrong with the traces of an audit, whatever it ended in; empty when nothing is. */
export function faultsIn({ out, streams, secrets, canary, trapped }: Traces): string[] {
  const files = existsSync(out) ? filesIn(out) : [];
  const texts = [
    ...files,
    ...streams.map((text, at) => ({ name: ['stdout', 'stderr'][at]!, text })),
  ];
  const pages = files.filter(({ name }) => name.endsWith('.html'));
  return [
    ...texts
      .filter(({ text }) => leaks(secrets, [text]).length > 0)
      .map(({ name }) => `a secret in ${name}`),
    ...texts
      .filter(({ text }) => controls.test(text))
      .map(({ name, text }) => `${JSON.stringify(controls.exec(text)![0])} in ${name}`),
    ...liveMarkup
      .filter((each) => pages.some(({ text }) => text.includes(each)))
      .map((each) => `${each} in a page`),
    ...(existsSync(canary) ? ['something was executed'] : []),
    ...(trapped.length > 0 ? [`followed a redirect: ${trapped[0]}`] : []),
  ];
}
