import type { Tokenizer } from '../../../contracts.ts';
import { readJson, requireSuccess, type UpstreamConnection } from '../upstream-connection.ts';
import { readReply } from './reply.ts';
import { routePaths } from './request.ts';

/** Words that are one token each in most vocabularies, and rarely begin an answer. */
const words = [' table', ' river', ' green', ' seven', ' paper', ' stone', ' music', ' horse'];
const wordsAsked = 2;

/**
 * Says whether an upstream obeys a `logit_bias`, and reads its ids as the tokenizer does: asked with a
 * bias of 100 on one word, it must say that word, two times. Some servers take the field and ignore it
 * (Ollama), and ids of another vocabulary bias other words; a mark would then be recorded and not be there.
 *
 * @throws TouchmarkError as the upstream answers; RequestError where it refuses the field
 */
export async function obeysLogitBias(options: {
  readonly upstream: UpstreamConnection;
  readonly basePath: string;
  readonly model?: string;
  readonly tokenizer: Pick<Tokenizer, 'encode'>;
  readonly signal: AbortSignal;
}): Promise<boolean> {
  const { upstream, basePath, model, tokenizer, signal } = options;
  const path = basePath + routePaths.chat;
  const single = words.filter((word) => tokenizer.encode(word).length === 1);
  for (const word of single.slice(0, wordsAsked)) {
    const body = JSON.stringify({
      ...(model !== undefined && { model }),
      messages: [{ role: 'user', content: 'Say something.' }],
      max_tokens: 4,
      logit_bias: { [tokenizer.encode(word)[0]!]: 100 },
    });
    const answer = await upstream.send({ method: 'POST', path, body, signal });
    requireSuccess(answer);
    const [choice] = readReply(readJson(answer.body)).choices;
    if (choice === undefined || !choice.text.includes(word.trim())) return false;
  }
  return single.length >= wordsAsked;
}
