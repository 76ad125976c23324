import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Suspects, suspectsSchema, withPaths } from '../../src/config/suspects.ts';
import { displaySpecification, openClassifier } from '../../src/models/adapters/registry.ts';
import { resolveSuspect } from '../../src/models/adapters/suspect-names.ts';

const full = `
old: replay:runs/1
served: { kind: kserve, url: http://host:8080/v2/models/m, operator: Rival Inc. }
cloud:
  kind: tfserving
  url: https://host/v1/models/m:predict
  mtls: { certificate: our.pem, key: our.key, authority: theirs.pem }
api:
  kind: http
  url: https://host/v1/detect?version=3
  request: { document: { content: "{input}" }, features: [language] }
  answers: { label: /languages/0/code, probabilities: /languages }
  headers: { x-api-key: { environment: RIVAL_KEY }, x-client: audit }
  oauth:
    tokenUrl: https://login.host/token
    clientId: us
    clientSecretFile: secret.txt
    scope: read
  labelMap: { english: en }
chat: { kind: openai, url: http://host/v1, model: m, api: chat, topLogprobs: 5 }
local: { kind: tfjs, path: models/m }
file: { kind: onnx, path: /srv/m.onnx, labels: [en, "no"] }
program: { kind: exec, command: [python3, classify.py, "--top", "3"] }
record: { kind: replay, path: runs/1 }
`;
const suspects = suspectsSchema.parse(parse(full));
const options = { labels: ['en', 'no'], environment: { RIVAL_KEY: 'sentinel' } };

describe('suspects in full', () => {
  test.each(Object.keys(suspects))('%s opens and is shown without secrets', async (name) => {
    const form = resolveSuspect(name, suspects);
    const classifier = openClassifier(form, options);
    expect(displaySpecification(form)).not.toContain('sentinel');
    await classifier.close();
  });

  test('have their paths from the place of their file', () => {
    const moved = withPaths(suspects, (path) => resolve('/project', path));
    expect(moved).toMatchObject({
      old: 'replay:/project/runs/1',
      served: suspects['served'],
      cloud: {
        mtls: {
          certificate: '/project/our.pem',
          key: '/project/our.key',
          authority: '/project/theirs.pem',
        },
      },
      api: { oauth: { clientSecretFile: '/project/secret.txt', clientId: 'us' } },
      local: { path: '/project/models/m' },
      file: { path: '/srv/m.onnx' },
      program: suspects['program'],
      record: { path: '/project/runs/1' },
    });
  });

  test('have a JSON Schema for editors', () => {
    const schema = z.toJSONSchema(suspectsSchema, { io: 'input' });
    expect(JSON.stringify(schema)).toContain('"tokenUrl"');
  });

  test('are none by default', () => {
    const none: Suspects = suspectsSchema.parse(undefined);
    expect(none).toEqual({});
  });
});

test.each<[string, string, string]>([
  ['an unknown kind', '{ kind: grpc, url: http://host }', 'Invalid input'],
  ['an unknown setting', '{ kind: onnx, path: a, url: http://host }', 'Unrecognized key'],
  [
    'a secret where its name belongs',
    '{ kind: http, url: http://h, bearerEnvironment: sk-1 }',
    'not the name of an environment variable',
  ],
  ['credentials in an address', '{ kind: http, url: http://me:secret@host }', 'not of the form'],
  ['no pointer', '{ kind: http, url: http://h, answers: { label: a.b } }', 'no JSON pointer'],
  [
    'two places for a secret',
    '{ kind: http, url: http://h, oauth: { tokenUrl: https://h, clientId: a, clientSecretFile: b, clientSecretEnvironment: C } }',
    'give one of',
  ],
  [
    'no place for a secret',
    '{ kind: http, url: http://h, oauth: { tokenUrl: https://h, clientId: a } }',
    'give one of',
  ],
  ['a header of two lines', '{ kind: http, url: http://h, headers: { a: "b\\nc" } }', 'line ends'],
  ['an empty command', '{ kind: exec, command: [] }', 'Too small'],
  ['equal labels', '{ kind: onnx, path: a, labels: [x, x] }', 'two labels are the same'],
  ['an address without protocol', 'https://host/classify', 'not of the form PROTOCOL:WHERE'],
])('%s is refused', (_, yaml, message) => {
  const result = suspectsSchema.safeParse({ rival: parse(yaml) });
  expect(result.success).toBe(false);
  expect(JSON.stringify(result.error?.issues)).toContain(message);
});
