import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LineStream } from '../../src/operations/json-lines.ts';
import { generateKey } from '../../src/operations/keys.ts';
import { openProject, openProjectRing } from '../../src/operations/project.ts';
import type { KeyRing } from '../../src/store/key-ring.ts';
import { tinyProject } from './tiny-project.ts';

export interface WatermarkScene {
  readonly directory: string;
  readonly configPath: string;
  readonly ring: KeyRing;
  /** Writes a file of the scene and returns its path. */
  write(name: string, content: unknown, mode?: number): string;
}

/** A project whose key ring has the tenants named, after the one that `init` makes. */
export async function watermarkScene(tenants: readonly string[] = []): Promise<WatermarkScene> {
  const { directory, configPath } = await tinyProject();
  for (const tenant of tenants) await generateKey({ configPath, tenant });
  const ring = await openProjectRing(await openProject({ configPath }));
  return {
    directory,
    configPath,
    ring,
    write: (name, content, mode = 0o644) => {
      const path = join(directory, name);
      const text = typeof content === 'string' ? content : JSON.stringify(content);
      writeFileSync(path, text, { mode });
      return path;
    },
  };
}

/** A stream of JSON lines in pieces of some bytes. */
export function streamOf(lines: readonly unknown[], pieceBytes = 1 << 16): LineStream {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  return {
    source: piecesOf(Buffer.from(text.join('\n')), pieceBytes),
    signal: new AbortController().signal,
    counts: { lines: 0, failed: 0 },
  };
}

export async function* piecesOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

/** Everything that batches hold. */
export async function gather<Item>(batches: AsyncIterable<readonly Item[]>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const batch of batches) items.push(...batch);
  return items;
}
