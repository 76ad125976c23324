import type { FastifyReply } from 'fastify';
import { RequestError } from './failures.ts';

/**
 * Returns what `work` resolves with while its client waits and the time is not up.
 *
 * The signal is aborted when the client goes away before its answer was sent or `milliseconds` have
 * passed; the promise is then rejected even if `work` does not listen. (Not the framework's own
 * signal: that one follows the request's stream, which closes once the body is read.)
 *
 * @throws RequestError 503 when the time is up.
 */
export async function withinDeadline<Result>(
  reply: FastifyReply,
  milliseconds: number,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const { signal } = controller;
  let stop = (): void => undefined;
  const end = (status: number, message: string) => {
    controller.abort(new RequestError(status, message));
    stop();
  };
  const leave = () => end(499, 'the client went away');
  const expire = () => {
    end(503, 'no answer was ready in time; send fewer inputs or try again later');
  };
  const timer = setTimeout(expire, milliseconds);
  reply.raw.once('close', leave);
  try {
    return await new Promise<Result>((resolve, reject) => {
      stop = () => reject(signal.reason);
      work(signal).then(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
    reply.raw.off('close', leave);
  }
}
