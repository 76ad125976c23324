import { verifyDossier } from '../dossier/verify/verify.ts';
import { keyIdentifier, publicKeyOf } from '../keys/signing.ts';
import { readDossierFile } from '../store/dossier-file.ts';
import { noteOnce } from './custody.ts';
import { openProject, openProjectRing, type ProjectOptions } from './project.ts';
import { revealsOf } from './verify.ts';

/** A dossier that leaves the house, and what can be used no more. */
export interface Release {
  readonly schema: 'touchmark/release@1';
  readonly file: string;
  readonly digest: string;
  readonly tenant: string;
  readonly epoch: string;
  readonly reveals: readonly string[];
}

/**
 * Notes that a dossier of this project is handed over: no later audit is begun for the epoch whose
 * marks it shows. Asks nobody, and changes nothing in the file.
 *
 * @throws TouchmarkError EVIDENCE_INVALID for a dossier that does not hold or that another key signed;
 *   USAGE when there is no such file
 */
export async function releaseDossier(
  options: ProjectOptions & { readonly path: string },
): Promise<Release> {
  const project = await openProject(options);
  const ring = await openProjectRing(project);
  const ownerKey = keyIdentifier(publicKeyOf(ring.signingKey()));
  const { digest, predicate } = verifyDossier(await readDossierFile(options.path), { ownerKey });
  const { tenant, epoch } = predicate.plan;
  const hexadecimal = digest.replace(/^sha256:/, '');
  await noteOnce(project, [
    { what: 'dossier-released', digest: hexadecimal, key: { tenant, epoch } },
  ]);
  return {
    schema: 'touchmark/release@1',
    file: options.path,
    ...{ digest, tenant, epoch },
    reveals: revealsOf(predicate.reveals),
  };
}
