import type { FastifyInstance } from 'fastify';
import type { Limits } from './limits.ts';

/** Routes of one protocol that clients may speak to the gateway. */
export interface Front {
  /** What a client that took a wrong way is told to use, such as `POST /classify`. */
  readonly asks: string;
  /** Adds the routes; whoever asks is known by then. */
  add(scope: FastifyInstance, limits: Limits): void;
}

/** Says whether a request would be answered now. */
export interface Readiness {
  ready(): Promise<boolean>;
}
