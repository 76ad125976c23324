import { z } from 'zod';
import { jwtSchema } from './access.ts';
import { quotaSchema, tenantName } from './tenants.ts';

const failureMode = z.enum(['fail-closed', 'fail-open']).default('fail-closed');
const port = z.int().min(0).max(65_535);

const unmarkedSchema = z.strictObject({
  prefix: z
    .string()
    .regex(/^(\/[A-Za-z0-9._-]+)+$/, 'not of the form /NAME')
    .describe('What stands before the usual paths, such as /safety.'),
  tenants: z.array(tenantName).min(1).describe('Who may ask there.'),
});

/** How answers are served. */
export const serveSchema = z
  .strictObject({
    host: z.string().min(1).default('127.0.0.1').describe('The address to listen on.'),
    port: port.default(8377).describe('The port to listen on, 0 to 65535; 0 takes a free one.'),
    adminHost: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe('Where metrics are served, apart from customers.'),
    adminPort: port
      .exactOptional()
      .describe('The port of /metrics and /health there, 0 to 65535; none without it.'),
    traces: z
      .url({ protocol: /^https?$/ })
      .exactOptional()
      .describe('Where OpenTelemetry traces go by OTLP: http://HOST:4318/v1/traces.'),
    ifMarkingFails: failureMode.describe(
      'fail-closed gives no answer that could not be marked; fail-open gives it unmarked.',
    ),
    ifLogFails: failureMode.describe(
      'fail-closed gives no answer that could not be recorded; fail-open gives it unmarked.',
    ),
    answerSeconds: z
      .number()
      .positive()
      .max(3_600)
      .default(60)
      .describe('How long an answer may take, at most 3600; streams may be silent as long.'),
    jwt: jwtSchema
      .exactOptional()
      .describe('Tenants by a signed token (RFC 7519), beside those with API keys.'),
    quotas: quotaSchema
      .exactOptional()
      .describe('What a tenant without a quota of its own may ask for; not limited without it.'),
    unmarked: z
      .array(unmarkedSchema)
      .refine(
        (list) => new Set(list.map(({ prefix }) => prefix)).size === list.length,
        'two routes have the same prefix',
      )
      .default([])
      .describe('Routes of answers without a mark, for what must not be touched.'),
  })
  .prefault({})
  .describe('The gateway that your customers ask instead of the model.');
