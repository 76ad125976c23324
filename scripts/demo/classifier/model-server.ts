import fastify from 'fastify';

/** What a served model says of one text. */
export interface Prediction {
  /** The label, or null for a model that declines. */
  readonly label: string | null;
  /** Over the model's own labels; absent for models that give labels only. */
  readonly probabilities?: ArrayLike<number>;
}

export interface ServedClassifier {
  /** `http:` or `kserve:` specification for the command line. */
  readonly specification: string;
  close(): Promise<void>;
}

export interface ModelServerOptions {
  readonly name: string;
  readonly protocol: 'http' | 'kserve';
  /** The model's labels, where it gives probabilities. */
  readonly labels?: readonly string[];
  readonly predict: (text: string) => Prediction;
}

/** Serves a text classifier on loopback, over plain JSON or the Open Inference Protocol. */
export async function serveModel(options: ModelServerOptions): Promise<ServedClassifier> {
  const { name, labels, predict } = options;
  const server = fastify({ bodyLimit: 4 << 20 });

  server.post<{ Body: { inputs: string[] } }>('/classify', async ({ body }) => {
    const predictions = body.inputs.map(predict);
    if (labels === undefined) return { answers: predictions.map(({ label }) => label) };
    return { labels, probabilities: predictions.map(rowOf) };
  });

  server.get('/v2/health/ready', async () => ({ ready: true }));

  server.get(`/v2/models/${name}`, async () => ({
    name,
    platform: 'demonstration',
    inputs: [{ name: 'text', datatype: 'BYTES', shape: [-1] }],
    outputs: [
      ...(labels ? [{ name: 'probabilities', datatype: 'FP32', shape: [-1, labels.length] }] : []),
      { name: 'label', datatype: 'BYTES', shape: [-1] },
    ],
    parameters: { labels: labels ?? [] },
  }));

  server.post<{ Body: { inputs: [{ data: string[] }] } }>(
    `/v2/models/${name}/infer`,
    async ({ body }) => {
      const predictions = body.inputs[0].data.map(predict);
      const count = predictions.length;
      const label = {
        name: 'label',
        datatype: 'BYTES',
        shape: [count],
        data: predictions.map((prediction) => prediction.label),
      };
      if (labels === undefined) return { model_name: name, outputs: [label] };
      const probabilities = {
        name: 'probabilities',
        datatype: 'FP32',
        shape: [count, labels.length],
        data: predictions.flatMap(rowOf),
      };
      return { model_name: name, outputs: [probabilities, label] };
    },
  );

  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  const path = options.protocol === 'kserve' ? `/v2/models/${name}` : '/classify';
  return { specification: `${options.protocol}:${address}${path}`, close: () => server.close() };
}

function rowOf({ probabilities }: Prediction): number[] {
  return Array.from(probabilities ?? []);
}
