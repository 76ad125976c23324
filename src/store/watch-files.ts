import { stat } from 'node:fs/promises';

const everyMilliseconds = 1_000;

/**
 * Calls back when one of some files has changed and then stood still for a second, also when it was
 * replaced through a link, as Kubernetes does. Looks once a second; returns what stops it.
 */
export function watchFiles(paths: () => readonly string[], changed: () => void): () => void {
  let known: string | undefined;
  let seen: string | undefined;
  const look = async () => {
    const now = (await Promise.all(paths().map(stateOf))).join('\n');
    known ??= now;
    if (now !== known && now === seen) {
      known = now;
      changed();
    }
    seen = now;
  };
  const timer = setInterval(() => void look(), everyMilliseconds).unref();
  void look();
  return () => clearInterval(timer);
}

async function stateOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${path} ${ino} ${size} ${mtimeMs}`;
  } catch {
    return `${path} absent`;
  }
}
