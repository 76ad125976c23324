import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addTenantToFile } from '../../src/config/edit.ts';
import { loadConfig } from '../../src/config/load.ts';
import { unknownVariables, variableOf } from '../../src/config/overrides.ts';
import { configJsonSchema } from '../../src/config/schema.ts';
import { configTemplate } from '../../src/config/template.ts';
import { temporaryDirectory } from '../store/directory.ts';

const hash = 'ab'.repeat(32);
const head =
  'schema: touchmark/config@1\nmodel: { name: m, upstream: "http:http://127.0.0.1:1/c" }\n';

function written(text: string): string {
  const path = join(temporaryDirectory(), 'touchmark.yaml');
  writeFileSync(path, text);
  return path;
}

function load(path: string, environment: Record<string, string> = {}) {
  return loadConfig(path, { environment });
}

describe('loadConfig', () => {
  it('fills in defaults and makes paths absolute from the directory of the file', async () => {
    const path = written(head);
    const { config, directory } = await load(path);
    expect(config.serve).toMatchObject({ host: '127.0.0.1', port: 8377 });
    expect(config.watermark.coinShare).toBe(0.02);
    expect(config.keys.source).toBe(`file:${join(directory, '.touchmark/keys/ring.json')}`);
    expect(config.inputs.fresh).toBe(join(directory, 'inputs/fresh.txt'));
    expect(config.log.directory).toBe(join(directory, '.touchmark/log'));
  });

  it('leaves key sources that are no files alone', async () => {
    const path = written(`${head}keys: { source: "exec:vault read root", ring: ring.json }\n`);
    const { config, directory } = await load(path);
    expect(config.keys.source).toBe('exec:vault read root');
    expect(config.keys.ring).toBe(join(directory, 'ring.json'));
  });

  it('takes a flag before a variable, that before the file, and the file before a default', async () => {
    const path = written(`${head}serve: { port: 1001, host: file.test }\n`);
    const environment = {
      TOUCHMARK_SERVE_PORT: '1002',
      TOUCHMARK_AUDIT_QUESTIONS_NOT_CHOSEN_FROM_ANSWERS: 'true',
      TOUCHMARK_SERVE_HOST: '',
    };
    const fromFile = await load(path);
    const fromVariable = await load(path, environment);
    const fromFlag = await loadConfig(path, {
      environment,
      flags: [{ path: ['serve', 'port'], value: 1003, from: '--port' }],
    });
    expect([fromFile, fromVariable, fromFlag].map(({ config }) => config.serve.port)).toEqual([
      1001, 1002, 1003,
    ]);
    expect(fromVariable.config.serve.host).toBe('file.test');
    expect(fromVariable.config.audit.questionsNotChosenFromAnswers).toBe(true);
    expect(fromFile.config.audit.questionsNotChosenFromAnswers).toBe(false);
  });

  it('names line, setting, value and range of every problem at once', async () => {
    const path = written(`${head}serve:\n  prot: 80\nwatermark:\n  coinShare: 3\n`);
    await expect(load(path)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      exitCode: 2,
      message: expect.stringMatching(
        /touchmark\.yaml:4: serve\.prot is no known setting; did you mean port\?\n.*:6: watermark\.coinShare is 3: .*0 to 0\.25/,
      ),
    });
  });

  it('names the variable that a bad value came from', async () => {
    await expect(load(written(head), { TOUCHMARK_SERVE_PORT: 'many' })).rejects.toThrow(
      /^TOUCHMARK_SERVE_PORT: serve\.port is "many"/,
    );
  });

  it('says what is missing', async () => {
    const path = written('schema: touchmark/config@1\nmodel:\n  name: m\n');
    await expect(load(path)).rejects.toThrow(/:2: model\.upstream is missing\. Allowed: http/);
  });

  it.each([
    ['a key in place of its hash', 'tenants: [ { id: a, apiKeySha256: tmk_SECRET } ]'],
    ['a root in place of its source', 'keys: { source: SECRET }'],
    ['a password in the address', 'model: { name: m, upstream: "me:SECRET@host" }'],
  ])('does not repeat %s', async (_, line) => {
    const path = written(`schema: touchmark/config@1\n${line}\n`);
    const error: unknown = await load(path).catch((cause) => cause);
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(String(error)).not.toContain('SECRET');
  });

  it.each([
    ['bad indentation', `${head}serve:\n  port: 1\n host: x\n`, /:5:/],
    ['a repeated key', `${head}serve: {}\nserve: {}\n`, /:4:1: .*unique/],
    ['an unknown tag', `${head}serve: !!js/function 'x'\n`, /:3:8: .*tag/],
    ['a list', '- a\n', /holds no settings/],
    ['nothing', '', /holds no settings/],
    ['a newer version', head.replace('@1', '@2'), /says touchmark\/config@2; this version reads/],
    ['another kind of file', head.replace('config@1', 'plan@1'), /schema is "touchmark\/plan@1"/],
    [
      'two tenants of one name',
      `${head}tenants: [${`{ id: a, apiKeySha256: ${hash} },`.repeat(2)}]`,
      /same id/,
    ],
    [
      'a tenant that is a path',
      `${head}tenants: [ { id: ../a, apiKeySha256: ${hash} } ]`,
      /id is "\.\.\/a"/,
    ],
  ])('refuses %s', async (_, text, message) => {
    await expect(load(written(text))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(/\w/),
    });
  });

  it('says how to make a file that is not there', async () => {
    await expect(load('/nowhere/touchmark.yaml')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      hint: expect.stringContaining('touchmark init'),
    });
  });
});

describe('configTemplate', () => {
  it('parses to exactly the defaults, with every setting present or in a comment', async () => {
    const text = configTemplate([{ id: 'example', apiKeySha256: hash }]);
    const template = await load(written(text));
    const upstream = 'http:http://127.0.0.1:8080/classify';
    const bare = `schema: touchmark/config@1\nmodel: { name: my-model, upstream: "${upstream}" }\ntenants: [ { id: example, apiKeySha256: ${hash} } ]\n`;
    const path = join(template.directory, 'bare.yaml');
    writeFileSync(path, bare);
    expect(template.config).toEqual((await load(path)).config);
    for (const name of ['# labels:', '# bearerEnvironment:', '# ring:'])
      expect(text).toContain(name);
    expect(text.split('\n').every((line) => line.length <= 105)).toBe(true);
  });
});

describe('addTenantToFile', () => {
  it.each([
    ['after others', configTemplate([{ id: 'example', apiKeySha256: hash }])],
    ['to an empty list', `# mine\n${head}tenants: [] # none yet\n`],
    ['to a file without a list', `# mine\n${head}`],
  ])('adds a tenant %s and keeps every comment', async (_, text) => {
    const path = written(text);
    await addTenantToFile(path, { id: 'acme', apiKeySha256: hash });
    const after = readFileSync(path, 'utf8');
    const comments = (of: string) => of.match(/#.*$/gm);
    expect(comments(after)).toEqual(comments(text));
    expect((await load(path)).config.tenants.at(-1)).toEqual({ id: 'acme', apiKeySha256: hash });
  });
});

it('names variables after settings and reports those that name none', async () => {
  expect(variableOf(['log', 'fsyncMilliseconds'])).toBe('TOUCHMARK_LOG_FSYNC_MILLISECONDS');
  const { config } = await load(written(head));
  const names = {
    TOUCHMARK_SERVE_PROT: '1',
    TOUCHMARK_PASSPHRASE: 'x',
    TOUCHMARK_LOG_DIRECTORY: 'x',
  };
  expect(unknownVariables(names, config)).toEqual(['TOUCHMARK_SERVE_PROT']);
});

it('publishes a JSON Schema in which every setting is described', () => {
  const undescribed: string[] = [];
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    const properties: unknown = Reflect.get(value, 'properties');
    if (typeof properties !== 'object' || properties === null) return;
    for (const [name, property] of Object.entries(properties)) {
      if (typeof property !== 'object' || !('description' in property))
        undescribed.push(path + name);
      visit(property, `${path}${name}.`);
    }
  };
  const schema = configJsonSchema();
  visit(schema, '');
  expect(schema).toMatchObject({ required: ['schema', 'model'], additionalProperties: false });
  expect(undescribed).toEqual([]);
});
