import type { Pace } from '../audit/pace.ts';
import { readSuspectFile } from '../config/suspect-files.ts';
import type { Description } from '../contracts.ts';
import { openClassifier } from '../models/adapters/registry.ts';
import type { RemoteClassifier, RemoteOptions } from '../models/adapters/remote.ts';
import { resolveSuspect } from '../models/adapters/suspect-names.ts';
import type { AuditOptions, PreparedAudit } from './audit-preparation.ts';

/** Opens the suspect of an audit as the project's settings say; nobody is asked yet. */
export function openSuspect(
  { project, profile: { labels, features } }: PreparedAudit,
  { suspect, suspectBearer }: Pick<AuditOptions, 'suspect' | 'suspectBearer'>,
  more: { readonly gate?: Pace; readonly replayIds?: NonNullable<RemoteOptions['replayIds']> } = {},
): RemoteClassifier {
  const { audit } = project.config;
  const { labelMap, suspectLabels, batchSize } = audit;
  return openClassifier(resolveSuspect(suspect, project.config.suspects), {
    labels,
    labelMap,
    batchSize,
    timeoutMilliseconds: audit.timeoutSeconds * 1000,
    environment: project.environment,
    readFile: readSuspectFile,
    ...more,
    ...(suspectLabels && { suspectLabels }),
    ...(suspectBearer !== undefined && { bearer: suspectBearer }),
    ...(features.kind === 'tensor' && {
      example: { shape: features.shape, data: new Float32Array(features.mean.length) },
    }),
  });
}

/** What the suspect is and gives; fails early when it cannot be asked at all. */
export async function describeSuspect(
  prepared: PreparedAudit,
  options: AuditOptions,
): Promise<Description> {
  const suspect = openSuspect(prepared, options);
  try {
    return await suspect.describe({ signal: options.signal });
  } finally {
    await suspect.close();
  }
}
