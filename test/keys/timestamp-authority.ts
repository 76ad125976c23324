import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Whether `openssl ts` is there to play a timestamp authority. */
export const hasOpenssl = (() => {
  try {
    return execFileSync('openssl', ['version'], { encoding: 'utf8' }).startsWith('OpenSSL');
  } catch {
    return false;
  }
})();

const settings = `
[ tsa ]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = yes
ess_cert_id_alg = sha256
[ authority ]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
[ timestamps ]
basicConstraints = CA:false
extendedKeyUsage = critical,timeStamping
[ servers ]
basicConstraints = CA:false
extendedKeyUsage = serverAuth
`;

/** Makes an authority of its own in a directory: a root, and a certificate below it. */
export function makeAuthority(
  directory: string,
  kind: 'ec' | 'rsa',
  days = '36500',
): { readonly root: string; readonly answer: (request: Uint8Array) => Buffer } {
  const run = (...parameters: string[]) =>
    execFileSync('openssl', parameters, { cwd: directory, stdio: 'pipe' });
  writeFileSync(join(directory, 'settings'), settings);
  writeFileSync(join(directory, 'serial'), '01\n');
  const key =
    kind === 'ec'
      ? ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
      : ['-newkey', 'rsa:2048'];
  const self = ['-config', '/dev/null', '-nodes', '-subj'];
  run(
    'req',
    '-x509',
    ...key,
    ...self,
    '/CN=Test root',
    '-addext',
    'basicConstraints=critical,CA:true',
    '-days',
    days,
    '-keyout',
    'root.key',
    '-out',
    'root.pem',
  );
  run('req', ...key, ...self, '/CN=Test authority', '-keyout', 'tsa.key', '-out', 'tsa.csr');
  run(
    'x509',
    '-req',
    '-in',
    'tsa.csr',
    '-CA',
    'root.pem',
    '-CAkey',
    'root.key',
    '-set_serial',
    '7',
    '-days',
    days,
    '-extfile',
    'settings',
    '-extensions',
    'timestamps',
    '-out',
    'tsa.pem',
  );
  return {
    root: readFileSync(join(directory, 'root.pem'), 'utf8'),
    answer: (request) => {
      writeFileSync(join(directory, 'request'), request);
      run(
        'ts',
        '-reply',
        '-config',
        'settings',
        '-section',
        'tsa',
        '-queryfile',
        'request',
        '-inkey',
        'tsa.key',
        '-signer',
        'tsa.pem',
        '-out',
        'answer',
      );
      return readFileSync(join(directory, 'answer'));
    },
  };
}
