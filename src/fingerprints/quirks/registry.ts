import type { Quirk } from '../quirk.ts';
import { boundaryGeometry } from './boundary-geometry.ts';
import { classConfusion } from './class-confusion.ts';
import { confidenceProfile } from './confidence-profile.ts';
import { gramStructure } from './gram-structure.ts';
import { labelChoices } from './label-choices.ts';
import { latencyCoupling } from './latency-coupling.ts';
import { probabilityLevels } from './probability-levels.ts';
import { hardSlice, rareSlice } from './slices.ts';

/** Every quirk of classifiers; a new one is a file and a line here. */
export const classifierQuirks: readonly Quirk<'classify'>[] = [
  labelChoices,
  rareSlice,
  hardSlice,
  classConfusion,
  confidenceProfile,
  probabilityLevels,
  gramStructure,
  boundaryGeometry,
  latencyCoupling,
];
