import type {
  Answering,
  AnsweringRequest,
  ServedAnswer,
  ServedModel,
} from '../../src/serve/answering.ts';
import { classifierFronts } from '../../src/serve/fronts/registry.ts';
import { createGateway, type Gateway } from '../../src/serve/gateway.ts';
import type { Limits } from '../../src/serve/limits.ts';
import { createAuthenticator } from '../../src/serve/tenants/authenticator.ts';
import { hashApiKey, TenantTable } from '../../src/store/api-keys.ts';

const keywords: Readonly<Record<string, readonly string[]>> = {
  en: ['the', 'and', 'of'],
  de: ['der', 'und', 'von'],
  no: ['jeg', 'og', 'ikke'],
};

/** A classifier small enough to be checked by hand: Laplace-smoothed counts of three words each. */
export function keywordProbabilities(text: string): number[] {
  const words = text.toLowerCase().split(/\s+/);
  const counts = Object.values(keywords).map(
    (list) => 1 + words.filter((word) => list.includes(word)).length,
  );
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => count / total);
}

export const keywordLabels = Object.keys(keywords);

export interface RecordingAnswering extends Answering {
  readonly requests: AnsweringRequest[];
}

/** A real answering: texts go to the keyword classifier, 2x2 tensors to the softmax of their rows' sums. */
export function keywordAnswering(
  input: ServedModel['input'] = 'text',
  override: Partial<Pick<Answering, 'answer' | 'ready'>> = {},
): RecordingAnswering {
  const requests: AnsweringRequest[] = [];
  return {
    requests,
    model: {
      name: 'words',
      version: '1',
      labels: input === 'text' ? keywordLabels : ['upper', 'lower'],
      input,
    },
    answer: async (request) => {
      requests.push(request);
      return request.inputs.map((value) => {
        if (typeof value === 'string') return answerOf(keywordProbabilities(value));
        const [a = 0, b = 0, c = 0, d = 0] = value.data;
        const upper = 1 / (1 + Math.exp(c + d - a - b));
        return answerOf([upper, 1 - upper]);
      });
    },
    ready: async () => true,
    ...override,
  };
}

function answerOf(probabilities: readonly number[]): ServedAnswer {
  return { probabilities, label: probabilities.indexOf(Math.max(...probabilities)) };
}

export const bearer = 'token-of-alice-1234';

export interface RunningGateway {
  readonly gateway: Gateway;
  readonly address: string;
  readonly failures: unknown[];
  /** Sends a request with Alice's token unless the headers say otherwise. */
  ask(path: string, init?: AskInit): Promise<{ status: number; body: Json; headers: Headers }>;
}
export interface AskInit {
  readonly json?: unknown;
  readonly body?: string | Uint8Array;
  readonly method?: string;
  readonly headers?: Record<string, string>;
}
/** The members of every reply that a test looks into. */
export interface Json {
  readonly error?: unknown;
  readonly ready?: unknown;
  readonly inputs?: unknown;
  readonly outputs?: unknown;
  readonly probabilities?: unknown;
}

export async function startGateway(
  answering: Answering,
  limits: Partial<Limits> = {},
): Promise<RunningGateway> {
  const failures: unknown[] = [];
  const apiKeys = new TenantTable([{ tenant: 'alice', apiKeySha256: hashApiKey(bearer) }]);
  const gateway = createGateway({
    service: answering,
    fronts: classifierFronts(answering),
    authenticator: createAuthenticator({ apiKeys }),
    limits,
    onFailure: (error) => failures.push(error),
  });
  const address = await gateway.listen({ host: '127.0.0.1', port: 0 });
  return {
    gateway,
    address,
    failures,
    ask: async (path, { json, body = JSON.stringify(json), method, headers = {} } = {}) => {
      const response = await fetch(address + path, {
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: {
          authorization: `Bearer ${bearer}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      });
      const parsed: Json = JSON.parse(await response.text());
      return { status: response.status, headers: response.headers, body: parsed };
    },
  };
}
