import { compileAssembly } from '../kernel/compile-assembly.ts';

interface PeerExports {
  addToAll(logits: number, size: number, amount: number): void;
  markByPermutation(
    logits: number,
    size: number,
    greenSize: number,
    delta: number,
    seed: number,
    state: number,
    permutation: number,
  ): void;
}

/** What the green list is compared with, compiled like the kernel. */
export interface GreenListPeers {
  /** Adds to every logit and nothing else: what any mark of a whole vocabulary costs at least. */
  readWritePass(): void;
  /** The method of transformers, with the generator of PyTorch and a quarter of green tokens. */
  fullPermutation(): void;
}

const logits = 1024;
const stateBytes = 4096;
const hashingKey = 15485863;

export async function openGreenListPeers(
  vocabularySize: number,
  nextToken: () => number,
): Promise<GreenListPeers> {
  const state = logits + 4 * vocabularySize;
  const permutation = state + stateBytes;
  const pages = Math.ceil((permutation + 8 * vocabularySize) / 65_536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const module = new WebAssembly.Module(await compileAssembly('bench.ts'));
  const peers = new WebAssembly.Instance(module, { env: { memory } }).exports as PeerExports;
  const greenSize = Math.floor(vocabularySize / 4);
  return {
    readWritePass: () => peers.addToAll(logits, vocabularySize, 1e-3),
    fullPermutation: () => {
      const seed = Math.imul(hashingKey, nextToken());
      peers.markByPermutation(logits, vocabularySize, greenSize, 2, seed, state, permutation);
    },
  };
}
