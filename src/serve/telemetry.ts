import {
  type Attributes,
  context,
  propagation,
  SpanKind,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { TouchmarkError } from '../errors.ts';
import type { Alarm } from './failure-policy.ts';

/** Seconds, from a quarter of a millisecond to a minute. */
const buckets = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 15, 60];

/**
 * What a gateway counts and traces. Neither metrics nor spans name a tenant, a question, an answer or a
 * key: whoever reads them learns how much is served and how fast.
 */
export class Telemetry {
  readonly registry = new Registry();
  readonly tracer: Tracer | undefined;
  readonly #requests = new Histogram({
    name: 'touchmark_request_seconds',
    help: 'Time from a request to the end of its answer.',
    labelNames: ['route', 'status'],
    buckets,
    registers: [this.registry],
  });
  readonly #failures = new Counter({
    name: 'touchmark_failures_total',
    help: 'Requests that failed on this side of the wire, by error code.',
    labelNames: ['code'],
    registers: [this.registry],
  });
  readonly #alarms = new Counter({
    name: 'touchmark_alarms_total',
    help: 'Answers that were served without a mark, or without a record, because something failed.',
    labelNames: ['alarm'],
    registers: [this.registry],
  });
  readonly #drafts = new Counter({
    name: 'touchmark_drafts_total',
    help: 'Drafts that a language model was asked for, to choose among.',
    registers: [this.registry],
  });
  readonly #reloads = new Counter({
    name: 'touchmark_reloads_total',
    help: 'Times that configuration and keys were read again.',
    labelNames: ['result'],
    registers: [this.registry],
  });

  /** @param tracer nothing is traced without it */
  constructor(tracer?: Tracer) {
    this.tracer = tracer;
  }

  request(route: string, status: number, seconds: number): void {
    this.#requests.observe({ route, status }, seconds);
  }

  failure(error: unknown): void {
    const code = TouchmarkError.isInstance(error) ? error.code : 'BUG';
    this.#failures.inc({ code });
  }

  alarm(alarm: Alarm, answers: number): void {
    this.#alarms.inc({ alarm }, answers);
  }

  drafts(count: number): void {
    this.#drafts.inc(count);
  }

  reload(result: 'done' | 'failed'): void {
    this.#reloads.inc({ result });
  }

  /** Adds a number that is read whenever somebody looks. */
  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }
}

/** Times every request by its route, never by its path, and traces it where there is a tracer. */
export function observe(app: FastifyInstance, telemetry: Telemetry): void {
  const { tracer } = telemetry;
  app.addHook('onResponse', (request, reply, done) => {
    telemetry.request(routeOf(request), reply.statusCode, reply.elapsedTime / 1000);
    done();
  });
  if (tracer === undefined) return;
  app.addHook('onRequest', (request, reply, done) => {
    const parent = propagation.extract(context.active(), request.headers);
    const attributes: Attributes = {
      'http.request.method': request.method,
      'http.route': routeOf(request),
    };
    const name = `${request.method} ${routeOf(request)}`;
    const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
    reply.raw.once('close', () => {
      span.setAttribute('http.response.status_code', reply.statusCode);
      if (!reply.raw.writableFinished) span.setAttribute('touchmark.aborted', true);
      span.end();
    });
    context.with(trace.setSpan(parent, span), done);
  });
}

function routeOf({ routeOptions }: FastifyRequest): string {
  return routeOptions.url ?? 'none';
}
