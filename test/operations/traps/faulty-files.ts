import fs from 'node:fs';

type Files = typeof import('node:fs/promises');

/** What goes wrong with files, and when, counted in operations that change something. */
export type Fault =
  | { readonly kind: 'none' }
  /** The process dies: this operation is done by half, and nothing after it happens. */
  | { readonly kind: 'crash'; readonly after: number }
  /** The operation fails by half, as on a full disk, and the process goes on. */
  | { readonly kind: 'full'; readonly after: number };

/**
 * File operations on real files that fail when told to. They are synchronous inside, for speed, and
 * synchronising does nothing: only processes die here.
 */
export class FaultyFiles {
  #fault: Fault = { kind: 'none' };
  #left = Number.POSITIVE_INFINITY;
  #dead = false;

  /** Begins a new process. */
  plan(fault: Fault): void {
    this.#fault = fault;
    this.#left = fault.kind === 'none' ? Number.POSITIVE_INFINITY : fault.after;
    this.#dead = false;
  }

  /** Returns the module with every function that the stock of traps uses put under faults. */
  wrap(files: Files): Files {
    const step = <Given extends unknown[], Value>(work: (...given: Given) => Value) =>
      this.#after(() => this.#step(), work);
    const alive = <Given extends unknown[], Value>(work: (...given: Given) => Value) =>
      this.#after(() => this.#alive(), work);
    const replaced = {
      mkdir: step(fs.mkdirSync),
      rename: step(fs.renameSync),
      rm: step(fs.rmSync),
      rmdir: step(fs.rmdirSync),
      chmod: step(fs.chmodSync),
      writeFile: step(fs.writeFileSync),
      readFile: alive(fs.readFileSync),
      readdir: alive(fs.readdirSync),
      access: alive(fs.accessSync),
      stat: alive(fs.statSync),
      open: async (path: string, flags: string, mode?: number) => {
        if (flags === 'r') this.#alive();
        else this.#step();
        return this.#handle(fs.openSync(path, flags, mode));
      },
    };
    return { ...files, ...replaced } as unknown as Files;
  }

  #after<Given extends unknown[], Value>(before: () => void, work: (...given: Given) => Value) {
    return async (...given: Given): Promise<Value> => {
      before();
      return work(...given);
    };
  }

  #handle(descriptor: number) {
    const write = async (data: string | Uint8Array) => {
      try {
        this.#step();
      } catch (cause) {
        fs.writeFileSync(descriptor, data.slice(0, Math.floor(data.length / 2)));
        throw cause;
      }
      fs.writeFileSync(descriptor, data);
    };
    const step = () => this.#step();
    return {
      /** Asked for when something is written without a promise. */
      get fd() {
        step();
        return descriptor;
      },
      writeFile: write,
      appendFile: write,
      sync: async () => this.#step(),
      datasync: async () => this.#step(),
      stat: async () => fs.fstatSync(descriptor),
      truncate: async (size: number) => {
        this.#step();
        fs.ftruncateSync(descriptor, size);
      },
      close: async () => {
        fs.closeSync(descriptor);
        this.#alive();
      },
    };
  }

  #step(): void {
    this.#alive();
    if (this.#left > 0) {
      this.#left -= 1;
      return;
    }
    if (this.#fault.kind === 'crash') this.#dead = true;
    else this.#left = Number.POSITIVE_INFINITY;
    throw this.#error();
  }

  #alive(): void {
    if (this.#dead) throw this.#error();
  }

  #error(): Error {
    const code = this.#fault.kind === 'crash' ? 'EIO' : 'ENOSPC';
    return Object.assign(new Error(`injected ${code}`), { code });
  }
}
