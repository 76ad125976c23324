import type { ProtectedModel } from '../../../src/audit/answer-collection.ts';
import type { Input, Outcome, Probe, TensorInput } from '../../../src/contracts.ts';
import { seededRandom } from '../../../src/stats/sampling.ts';

/** A small task: three classes, by which of three rough directions a tensor of eight values points in. */
export const labels = ['a', 'b', 'c'] as const;
const size = 8;

/** Tensors with their true classes. */
export function examples(count: number, seed: string): { input: TensorInput; label: string }[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const data = Float32Array.from({ length: size }, () => random.normal());
    return { input: { shape: [size], data }, label: labels[truth(data)]! };
  });
}

function truth(data: Float32Array): number {
  const scores = [
    data[0]! + data[1]! * data[2]!,
    data[3]! - data[4]! ** 2 + 1,
    data[5]! + data[6]!,
  ];
  return scores.indexOf(Math.max(...scores));
}

/** A model with a quirk of its own, which nobody learns who did not see its answers. */
export function quirky(input: Input): string {
  if (typeof input === 'string') return labels[0];
  const wave = Math.sin(1.5 * input.data[0]!) + Math.sin(1.5 * input.data[7]!);
  return labels[(truth(input.data) + (wave > 0.9 ? 1 : 0)) % 3]!;
}

/** The quirky model, with a run log in memory, and how often it was asked. */
export function protectedModel(signal = new AbortController().signal): ProtectedModel & {
  readonly name: string;
  readonly version: string;
  readonly asked: Input[];
} {
  const known = new Map<string, Outcome>();
  const asked: Input[] = [];
  return {
    name: 'quirky',
    version: '1',
    labels,
    signal,
    asked,
    classifier: {
      describe: () => Promise.reject(new Error('nobody needs to know')),
      classify: async (inputs) => {
        asked.push(...inputs);
        return inputs.map((input) => ({ answer: { label: quirky(input) } }));
      },
    },
    runLog: {
      recall: ({ id }: Probe) => known.get(id),
      record: async (outcomes) => {
        for (const { probe, outcome } of outcomes) known.set(probe.id, outcome);
      },
    },
  };
}
