import type { ClientError } from '../../failures.ts';

const codes: Readonly<Record<number, string>> = {
  401: 'invalid_api_key',
  404: 'not_found',
  429: 'rate_limit_exceeded',
};

/** Words a failure as clients of OpenAI's API read it. */
export function openAiError({ status, message }: ClientError): object {
  const type = status >= 500 ? 'server_error' : 'invalid_request_error';
  return { error: { message, type, param: null, code: codes[status] ?? null } };
}
