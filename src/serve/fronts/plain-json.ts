import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Answering } from '../answering.ts';
import { withinDeadline } from '../deadline.ts';
import type { Front } from '../front.ts';
import { readInputs } from '../inputs.ts';
import type { Limits } from '../limits.ts';
import { readDocument } from './documents.ts';

const answers = z.literal('labels', 'must be "labels" or be left out').optional();
const body = z.object({ inputs: z.array(z.unknown(), 'must be an array'), answers });
const query = z.object({ answers });

/**
 * Speaks plain JSON for any model: `POST /classify {"inputs": [...]}`, answered with `{"labels": [class names],
 * "probabilities": [[one per label], ...]}`, or, when `"answers": "labels"` stands in the body or
 * the query, with `{"answers": [class name, ...]}`.
 */
export function plainJsonFront(answering: Answering): Front {
  return {
    asks: 'POST /classify',
    add: (scope, limits) => addRoute(scope, answering, limits),
  };
}

function addRoute(server: FastifyInstance, answering: Answering, limits: Limits): void {
  const { labels, input } = answering.model;
  server.post('/classify', async (request, reply) => {
    const document = readDocument(body, request.body, 'the body');
    const asked = document.answers ?? readDocument(query, request.query, 'the query').answers;
    const inputs = readInputs(document.inputs, input, limits);
    request.charge(inputs.length);
    const wants = { probabilities: asked === undefined };
    const { tenant, marked } = request;
    const answered = await withinDeadline(reply, limits.answerMilliseconds, (signal) =>
      answering.answer({ tenant, marked, inputs, wants }, { signal }),
    );
    if (asked === 'labels') return { answers: answered.map(({ label }) => labels[label]) };
    return { labels, probabilities: answered.map(({ probabilities }) => probabilities) };
  });
}
