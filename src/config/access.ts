import { z } from 'zod';

const variableName = z.string().regex(/^[A-Za-z_]\w*$/);

/** Signatures that whoever checks them cannot make (RFC 7518, section 3.1; RFC 8037). */
export const asymmetricAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

const isLoopback = (host: string) =>
  host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);

/** Plain HTTP would let whoever sits between choose the keys that tokens are checked by. */
function isSafeAddress(text: string): boolean {
  if (!/^https?:/i.test(text)) return true;
  const url = URL.parse?.(text) ?? (URL.canParse(text) ? new URL(text) : null);
  if (url === null || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || isLoopback(url.hostname);
}

/** How a tenant is known by a signed token in place of an API key. */
export const jwtSchema = z
  .strictObject({
    issuer: z.string().min(1).exactOptional().describe('What the claim iss must be.'),
    audience: z
      .string()
      .min(1)
      .describe('What the claim aud must be or contain: this gateway, as the issuer names it.'),
    claim: z.string().min(1).default('sub').describe('The claim that names the tenant.'),
    jwks: z
      .string()
      .min(1)
      .refine(isSafeAddress, 'neither https, nor http on this machine, nor a file')
      .exactOptional()
      .describe("The issuer's public keys (RFC 7517): an https address, or a file."),
    algorithms: z
      .array(z.enum(asymmetricAlgorithms))
      .min(1)
      .default([...asymmetricAlgorithms])
      .describe('Signature algorithms to accept from jwks.'),
    secretEnvironment: variableName
      .exactOptional()
      .describe(
        'In the place of jwks, the environment variable with the secret of HS256, 32 bytes or more.',
      ),
    clockToleranceSeconds: z
      .number()
      .min(0)
      .max(300)
      .default(30)
      .describe("How far the issuer's clock may be off, 0 to 300."),
  })
  .refine(
    ({ jwks, secretEnvironment }) => (jwks === undefined) !== (secretEnvironment === undefined),
    'give one of jwks and secretEnvironment',
  );

export type JwtConfig = Readonly<z.output<typeof jwtSchema>>;
