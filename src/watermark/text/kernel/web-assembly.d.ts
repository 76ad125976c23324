/** The part of the WebAssembly interface that the kernel needs; Node's types name it only. */
declare namespace WebAssembly {
  type Module = object;
  interface Instance {
    readonly exports: unknown;
  }
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  const Module: new (bytes: Uint8Array) => Module;
  const Instance: new (
    module: Module,
    imports: { readonly env: { readonly memory: Memory } },
  ) => Instance;
  const Memory: new (pages: { readonly initial: number; readonly maximum: number }) => Memory;
  function validate(bytes: Uint8Array): boolean;
}
