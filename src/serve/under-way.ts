import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Connection {
  requests: number;
  readonly leave: () => void;
}

/**
 * Knows the requests that are not answered yet. Those of a connection that is gone never will be: where
 * a client sent several at once, only the first response of them hears so.
 */
export class UnderWay {
  readonly #connections = new Map<Socket, Connection>();
  #idle = (): void => undefined;

  /** Returns how many there are now on the request's connection, this one included. */
  add({ socket }: IncomingMessage, response: ServerResponse): number {
    let connection = this.#connections.get(socket);
    if (connection === undefined) {
      connection = { requests: 0, leave: () => this.#end(socket) };
      this.#connections.set(socket, connection);
      socket.once('close', connection.leave);
    }
    connection.requests += 1;
    const known = connection;
    response.once('close', () => {
      known.requests -= 1;
      if (known.requests === 0) this.#end(socket);
    });
    return connection.requests;
  }

  /** Resolves when none is left. */
  async ended(): Promise<void> {
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  #end(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    socket.off('close', connection.leave);
    this.#connections.delete(socket);
    if (this.#connections.size === 0) this.#idle();
  }
}
