import { InvalidInput } from '../functions/common/errors.ts';
import { breakagesOfLeases } from './breakages-of-leases.ts';
import { breakagesOfReplacement } from './breakages-of-replacement.ts';
import { breakagesOfTheMachine } from './breakages-of-the-machine.ts';
import { breakagesOfVotes } from './breakages-of-votes.ts';
import type { Flaws } from './flaws.ts';

/** The protocol broken in one place, at its ports, its policy or its definition: the simulation must find each. */
export interface Breakage {
  readonly name: string;
  readonly says: string;
  readonly flaws: Flaws;
}

export const breakages: readonly Breakage[] = [
  ...breakagesOfLeases,
  ...breakagesOfTheMachine,
  ...breakagesOfVotes,
  ...breakagesOfReplacement,
];

/** @throws InvalidInput naming those that exist */
export function breakageNamed(name: string): Breakage {
  const found = breakages.find((each) => each.name === name);
  if (found) return found;
  throw new InvalidInput(`there is no breakage "${name}"`, { hint: `There are: ${breakages.map((each) => each.name).join(', ')}.` });
}
