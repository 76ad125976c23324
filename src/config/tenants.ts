import { createReadStream } from 'node:fs';
import { z } from 'zod';
import { TouchmarkError } from '../errors.ts';

/** Names of tenants become file names, so they are plain. */
export const tenantName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
  .describe('A name of 1 to 64 letters, digits, dots, hyphens and underscores.');

/** What one tenant may ask for; without a number it is not limited in that way. */
export const quotaSchema = z.strictObject({
  requestsPerSecond: z
    .number()
    .min(0.001)
    .max(1_000_000)
    .exactOptional()
    .describe('Requests per second in the long run, .001 to 1000000.'),
  burst: z
    .int()
    .min(1)
    .max(1_000_000)
    .exactOptional()
    .describe('Requests at once after a pause, 1 to 1000000; one second of requests by default.'),
  answersPerDay: z
    .int()
    .min(1)
    .max(1_000_000_000_000)
    .exactOptional()
    .describe('Inputs or choices answered in a day of UTC.'),
});
export type Quota = Readonly<z.output<typeof quotaSchema>>;

const tenantSchema = z.strictObject({
  id: tenantName,
  apiKeySha256: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, 'not 64 hexadecimal digits')
    .exactOptional()
    .describe(
      'SHA-256 of the API key, 64 hexadecimal digits; never the key itself. None for who asks with a JWT.',
    ),
  quota: quotaSchema
    .exactOptional()
    .describe('What this tenant may ask for, in the place of serve.quotas.'),
});

/** One customer, as the configuration knows it. */
export type TenantEntry = Readonly<z.output<typeof tenantSchema>>;

export const tenantsSchema = z
  .array(tenantSchema)
  .refine(
    (list) => new Set(list.map(({ id }) => id)).size === list.length,
    'two tenants have the same id',
  )
  .default([])
  .describe('Your customers. `touchmark keys generate --tenant NAME` adds one.');

export const tenantsFileSchema = z
  .string()
  .min(1)
  .exactOptional()
  .describe(
    'A file of further tenants, one JSON object {"id", "apiKeySha256"} a line: for thousands of them.',
  );

const problemsShown = 20;
/** Characters; a file of another kind is then not read into memory as one line. */
const longestLine = 65_536;

/**
 * Returns the tenants of a file, one JSON object per line, after those that the configuration itself
 * lists; empty lines are skipped. It is read as a stream.
 *
 * @throws TouchmarkError CONFIG_INVALID with file and line of each problem, and never with the value
 *   of a key's hash, where people put the key itself by mistake
 */
export async function readTenantsFile(
  path: string,
  listed: readonly TenantEntry[] = [],
): Promise<TenantEntry[]> {
  const book = new TenantBook(path, listed);
  const problems: string[] = [];
  for await (const { line, text } of linesOf(path)) {
    const found = readLine(text);
    const wrong = 'problems' in found ? found.problems : book.add(found.tenant, line);
    problems.push(...wrong.map((problem) => `${path}:${line}: ${problem}`));
    if (problems.length > problemsShown) break;
  }
  if (problems.length === 0) return book.tenants;
  const more = problems.length > problemsShown ? ['There are more.'] : [];
  const message = [...problems.slice(0, problemsShown), ...more].join('\n');
  throw new TouchmarkError('CONFIG_INVALID', message, {
    hint: 'A line is {"id": "NAME", "apiKeySha256": "64 hexadecimal digits"}, with "quota" where one has its own.',
  });
}

/** Tenants so far, and who has which name and key already. */
class TenantBook {
  readonly tenants: TenantEntry[] = [];
  readonly #path: string;
  /** Lines by name; 0 stands for the configuration itself. */
  readonly #lines = new Map<string, number>();
  readonly #holders = new Map<string, string>();

  constructor(path: string, listed: readonly TenantEntry[]) {
    this.#path = path;
    for (const tenant of listed) this.add(tenant, 0);
  }

  /** Returns what is wrong with a tenant; nothing when it was added. */
  add(tenant: TenantEntry, line: number): readonly string[] {
    const { id, apiKeySha256 } = tenant;
    const twin = this.#lines.get(id);
    if (twin !== undefined) {
      const where = twin === 0 ? 'under tenants: in the configuration' : `${this.#path}:${twin}`;
      return [`the tenant "${id}" is there already, ${where}.`];
    }
    const hash = apiKeySha256?.toLowerCase();
    const holder = hash === undefined ? undefined : this.#holders.get(hash);
    if (holder !== undefined) return [`"${id}" has the same API key as "${holder}".`];
    this.#lines.set(id, line);
    if (hash !== undefined) this.#holders.set(hash, id);
    this.tenants.push(tenant);
    return [];
  }
}

function readLine(
  text: string,
): { readonly tenant: TenantEntry } | { readonly problems: readonly string[] } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problems: ['this is no JSON.'] };
  }
  const parsed = tenantSchema.safeParse(value);
  if (parsed.success) return { tenant: parsed.data };
  const problems = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? `${message}.` : `${path.map(String).join('.')}: ${message}.`,
  );
  return { problems };
}

async function* linesOf(
  path: string,
): AsyncGenerator<{ readonly line: number; readonly text: string }> {
  const stream = createReadStream(path, 'utf8');
  let line = 0;
  let rest = '';
  try {
    for await (const piece of stream) {
      const lines = (rest + String(piece)).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > longestLine) lines.push(rest);
      for (const text of lines) {
        line += 1;
        if (text.length > longestLine) throw tooLong(path, line);
        const whole = line === 1 ? text.replace(/^\uFEFF/, '') : text;
        if (whole.trim() !== '') yield { line, text: whole };
      }
    }
    if (rest.trim() !== '') yield { line: line + 1, text: rest };
  } catch (cause) {
    if (TouchmarkError.isInstance(cause)) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new TouchmarkError('CONFIG_INVALID', `Could not read tenantsFile ${path} (${code}).`, {
      hint: 'Give the path of a file with one JSON object a line, or leave tenantsFile out.',
      cause,
    });
  } finally {
    stream.destroy();
  }
}

function tooLong(path: string, line: number): TouchmarkError {
  return new TouchmarkError(
    'CONFIG_INVALID',
    `${path}:${line}: the line has more than ${longestLine} characters.`,
    { hint: 'tenantsFile holds one short JSON object a line.' },
  );
}
