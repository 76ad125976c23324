import type { Tracer } from '@opentelemetry/api';

/** A tracer, and what sends what it still holds before a process ends. */
export interface Tracing {
  readonly tracer: Tracer;
  close(): Promise<void>;
}

/** Sends spans by OTLP over HTTP, in batches; a collector that is down costs the spans and nothing else. */
export async function startTracing(url: string): Promise<Tracing> {
  const [{ BasicTracerProvider, BatchSpanProcessor }, { OTLPTraceExporter }, resources, api] =
    await Promise.all([
      import('@opentelemetry/sdk-trace-base'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/api'),
    ]);
  const provider = new BasicTracerProvider({
    resource: resources.resourceFromAttributes({ 'service.name': 'touchmark' }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url }))],
  });
  const { W3CTraceContextPropagator } = await import('@opentelemetry/core');
  api.propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  return {
    tracer: provider.getTracer('touchmark'),
    close: () => provider.shutdown().catch(() => undefined),
  };
}
