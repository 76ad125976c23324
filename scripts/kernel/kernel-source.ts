import { compileAssembly } from './compile-assembly.ts';

/** Where the compiled kernel is kept, from the root of the repository. */
export const kernelModulePath = 'src/watermark/text/kernel/kernel-module.ts';

const charactersPerLine = 90;

/** Returns the TypeScript file that carries the compiled kernel, so that using it reads no file. */
export async function kernelSource(): Promise<string> {
  const text = Buffer.from(await compileAssembly('kernel.ts')).toString('base64');
  const lines = text.match(new RegExp(`.{1,${charactersPerLine}}`, 'g')) ?? [];
  return [
    '// Made from assembly/ by `npm run build:kernel`: do not edit.',
    '/** The compiled kernel, in base64. */',
    'export const kernelModule =',
    `${lines.map((line) => `  '${line}'`).join(' +\n')};`,
    '',
  ].join('\n');
}
