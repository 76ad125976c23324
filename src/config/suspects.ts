import { z } from 'zod';

const variableName = z.string().regex(/^[A-Za-z_]\w*$/, 'not the name of an environment variable');
const path = z.string().min(1);
const httpAddress = z
  .string()
  .regex(/^https?:\/\/[^\s/@]+(\/[^\s]*|\?[^\s]*)?$/, 'not of the form http://HOST:PORT/PATH');
const pointer = z
  .string()
  .regex(/^(\/([^~]|~[01])*)?$/s, 'no JSON pointer: it is empty or begins with a slash');

/** What is said of every suspect. */
const reading = {
  labels: z
    .array(z.string().min(1))
    .min(2)
    .refine((labels) => new Set(labels).size === labels.length, 'two labels are the same')
    .exactOptional()
    .describe("The suspect's labels in the order of its probabilities, if it does not name them."),
  labelMap: z
    .record(z.string(), z.string())
    .exactOptional()
    .describe("From the suspect's labels to yours, where they differ: { english: en }."),
  operator: z.string().min(1).max(200).exactOptional().describe('Who runs it, for reports.'),
};

const oauth = z
  .strictObject({
    tokenUrl: httpAddress.describe('Where tokens are granted; https unless on this machine.'),
    clientId: z.string().min(1),
    clientSecretEnvironment: variableName
      .exactOptional()
      .describe('The environment variable that holds the client secret.'),
    clientSecretFile: path.exactOptional().describe('The file that holds the client secret.'),
    scope: z.string().min(1).exactOptional(),
  })
  .refine(
    (client) =>
      (client.clientSecretEnvironment === undefined) !== (client.clientSecretFile === undefined),
    'give one of clientSecretEnvironment and clientSecretFile',
  )
  .describe('OAuth 2 client credentials: a token is fetched when needed and again after a 401.');

const mtls = z
  .strictObject({
    certificate: path.describe('PEM file of our certificate.'),
    key: path.describe('PEM file of its private key, without a passphrase.'),
    authority: path
      .exactOptional()
      .describe("PEM file of the authorities to believe, in the place of Node.js's own."),
  })
  .describe('A certificate of ours that the suspect asks for.');

const headerValue = z.union([
  z.string().regex(/^[\x20-\x7e\t]*$/, 'holds line ends or other characters than ASCII'),
  z.strictObject({ environment: variableName }),
]);

/** How a suspect behind HTTP lets us in. */
const access = {
  bearerEnvironment: variableName
    .exactOptional()
    .describe('The environment variable that holds a bearer token.'),
  headers: z
    .record(z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'not the name of a header'), headerValue)
    .exactOptional()
    .describe('Sent with every request; a secret one is { environment: NAME }.'),
  oauth: oauth.exactOptional(),
  mtls: mtls.exactOptional(),
};

const address = { url: httpAddress, ...access, ...reading };
const file = { path, ...reading };

const suspectForm = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('kserve'), ...address }),
  z.strictObject({ kind: z.literal('tfserving'), ...address }),
  z.strictObject({
    kind: z.literal('http'),
    ...address,
    request: z
      .json()
      .exactOptional()
      .describe('The body, with "{input}" for one question or "{inputs}" for a list of them.'),
    answers: z
      .strictObject({
        rows: pointer.exactOptional().describe('One entry per question; the others start from it.'),
        label: pointer.exactOptional().describe('The label of one answer.'),
        labels: pointer.exactOptional().describe('The labels, one per question.'),
        probabilities: pointer
          .exactOptional()
          .describe('Numbers, {label: probability}, or a list of labels with their scores.'),
        classNames: pointer.exactOptional().describe('The labels of the numbers, in order.'),
      })
      .exactOptional()
      .describe('JSON pointers (RFC 6901) to the parts of the answer.'),
  }),
  z.strictObject({
    kind: z.literal('openai'),
    ...address,
    model: z.string().min(1).exactOptional(),
    api: z.enum(['chat', 'completions']).exactOptional(),
    prompt: z
      .string()
      .min(1)
      .exactOptional()
      .describe('What is asked, with {input} and {labels} in it.'),
    system: z.string().min(1).exactOptional(),
    topLogprobs: z
      .int()
      .min(1)
      .max(20)
      .exactOptional()
      .describe('Tokens to list with their probabilities, 1 to 20.'),
  }),
  z.strictObject({ kind: z.literal('tfjs'), ...file }),
  z.strictObject({ kind: z.literal('onnx'), ...file }),
  z.strictObject({ kind: z.literal('replay'), ...file }),
  z.strictObject({
    kind: z.literal('exec'),
    command: z.array(z.string()).min(1).describe('The program and its arguments, without a shell.'),
    ...reading,
  }),
]);

const suspectText = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]*:(?!\/\/)\S/,
    'not of the form PROTOCOL:WHERE, such as http:https://host/path',
  );

/** Suspects by name: `--suspect NAME` asks one of them. */
export const suspectsSchema = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
      .describe('A name of 1 to 64 letters, digits, dots, hyphens and underscores.'),
    z.union([suspectText, suspectForm]),
  )
  .default({})
  .describe('Suspects by name, as PROTOCOL:WHERE or in full, for audit --suspect NAME.');

export type Suspects = z.output<typeof suspectsSchema>;

/**
 * Returns suspects with their paths made absolute by `resolve`: models, records, secrets and
 * certificates. Commands stay as they are.
 */
export function withPaths(suspects: Suspects, resolve: (path: string) => string): Suspects {
  return Object.fromEntries(
    Object.entries(suspects).map(([name, suspect]) => [name, resolved(suspect, resolve)]),
  );
}

function resolved(suspect: Suspects[string], resolve: (path: string) => string): Suspects[string] {
  if (typeof suspect === 'string') {
    return suspect.replace(
      /^(tfjs|onnx|replay):(.+)$/s,
      (_, kind: string, path: string) => `${kind}:${resolve(path)}`,
    );
  }
  if ('path' in suspect) return { ...suspect, path: resolve(suspect.path) };
  if (suspect.kind === 'exec') return suspect;
  const { oauth, mtls } = suspect;
  return {
    ...suspect,
    ...(oauth?.clientSecretFile && {
      oauth: { ...oauth, clientSecretFile: resolve(oauth.clientSecretFile) },
    }),
    ...(mtls && {
      mtls: {
        certificate: resolve(mtls.certificate),
        key: resolve(mtls.key),
        ...(mtls.authority && { authority: resolve(mtls.authority) }),
      },
    }),
  };
}
