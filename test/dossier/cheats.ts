import { choosingCheats } from './choosing-cheats.ts';
import { contradictingCheats } from './contradicting-cheats.ts';
import { type Accuser, type Cheat, Ground } from './ground.ts';
import type { Attempt } from './received.ts';

/** Everything a false accuser may do, carried out from the first question on. */
export const cheats: Readonly<Record<string, Cheat>> = {
  ...choosingCheats,
  ...contradictingCheats,
};

/** Carries out one attempt. @param turn varies suspects and questions */
export function cheat(accuser: Accuser, kind: string, turn: number): Attempt {
  return cheats[kind]!(new Ground(accuser, turn));
}
