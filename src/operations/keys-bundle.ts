import { TouchmarkError } from '../errors.ts';
import { type BundledEpoch, bundleLines } from '../store/epoch-bundle.ts';
import { createFile } from '../store/project-files.ts';
import { openProject, openProjectRing, type ProjectOptions } from './project.ts';

/**
 * Writes the current epochs of all configured tenants, and their keys, to a new file of mode 0600: all
 * that a gateway on another machine needs, and nothing that other epochs would follow from.
 *
 * @throws TouchmarkError CONFIG_INVALID without tenants, or naming one without an epoch; USAGE when
 *   the file exists
 */
export async function exportBundle(
  options: ProjectOptions & { readonly out: string },
): Promise<{ readonly file: string; readonly tenants: number }> {
  const { lines, tenants } = await bundleOf(options);
  await createFile(options.out, lines, 0o600);
  return { file: options.out, tenants };
}

/** Returns the lines of such a file. @throws TouchmarkError as `exportBundle` */
export async function bundleOf(
  options: ProjectOptions,
): Promise<{ readonly lines: Iterable<string>; readonly tenants: number }> {
  const project = await openProject(options);
  const ring = await openProjectRing(project);
  const names = project.config.tenants.map(({ id }) => id);
  const missing = names.find((name) => !ring.has(name));
  if (names.length === 0 || missing !== undefined) {
    const what =
      missing === undefined
        ? `${project.path} has no tenants.`
        : `The tenant "${missing}" has no epoch in the key ring ${ring.path}.`;
    throw new TouchmarkError('CONFIG_INVALID', what, {
      hint: 'Add tenants with: touchmark keys generate --tenant NAME',
    });
  }
  function* epochs(): Generator<BundledEpoch> {
    for (const tenant of names) {
      const { epoch, commitment } = ring.currentEpoch(tenant);
      yield { tenant, epoch, commitment, key: ring.derivedKey(tenant, epoch) };
    }
  }
  const exportedAt = new Date().toISOString();
  return { lines: bundleLines(epochs(), names.length, exportedAt), tenants: names.length };
}
