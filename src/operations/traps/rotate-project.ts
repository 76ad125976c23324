import type { Progress } from '../../contracts.ts';
import { openProject, openProjectRing, type ProjectOptions } from '../project.ts';
import { rotateTraps } from './rotate.ts';
import type { Rotation } from './rotation-report.ts';
import { trapSources } from './sources.ts';

export type { Rotation, RotationReport } from './rotation-report.ts';

export interface RotateProjectOptions extends ProjectOptions {
  readonly leaked?: readonly string[];
  readonly trustClock?: boolean;
  readonly now: Date;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Rotates a project's traps with every source there is; errors as for `rotateTraps`. */
export async function rotateProject(options: RotateProjectOptions): Promise<Rotation> {
  const { leaked = [], trustClock = false, now, signal, progress } = options;
  const project = await openProject(options);
  const keyRing = await openProjectRing(project);
  const rest = { sources: trapSources, leaked, trustClock, now, signal, progress };
  return rotateTraps({ project, keyRing, ...rest });
}
