import { compileAssembly } from './compile-assembly.ts';

/** A compiled module and the file that carries it, from the root of the repository. */
export interface CompiledModule {
  readonly entry: string;
  readonly path: string;
  readonly name: string;
  readonly documentation: string;
}

/** The kernel of text watermarks. */
export const textKernel: CompiledModule = {
  entry: 'kernel.ts',
  path: 'src/watermark/text/kernel/kernel-module.ts',
  name: 'kernelModule',
  documentation: 'The compiled kernel, in base64.',
};

/** The kernel that trains networks. */
export const trainingKernel: CompiledModule = {
  entry: 'training.ts',
  path: 'src/models/training/kernel/training-module.ts',
  name: 'trainingModule',
  documentation: 'The compiled loops of training, in base64.',
};

const charactersPerLine = 90;

/** Returns the TypeScript file that carries a compiled module, so that using it reads no file. */
export async function kernelSource({
  entry,
  name,
  documentation,
}: CompiledModule): Promise<string> {
  const text = Buffer.from(await compileAssembly(entry)).toString('base64');
  const lines = text.match(new RegExp(`.{1,${charactersPerLine}}`, 'g')) ?? [];
  return [
    '// Made from assembly/ by `npm run build:kernel`: do not edit.',
    `/** ${documentation} */`,
    `export const ${name} =`,
    `${lines.map((line) => `  '${line}'`).join(' +\n')};`,
    '',
  ].join('\n');
}
