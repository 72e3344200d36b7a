import type { IncidentPolicy } from '../../common/incident-policy.ts';
import { isListed, principalOf } from '../../failover/approval/principal.ts';
import { refused, type Transition } from './transition.ts';

/** Who stands before the command line: a person of the config, or the principal where the config knows nobody by it. */
type Who = { readonly kind: 'who'; readonly by: string } | Extract<Transition, { kind: 'refused' }>;

/** @param person which of several people of one principal it is; nobody can be somebody whose principals do not name them */
export function whoIs(principal: string, { people }: Pick<IncidentPolicy, 'people'>, person?: string): Who {
  const listed = people.filter(({ principals }) => isListed(principal, principals)).map(({ id }) => id);
  if (person !== undefined) {
    if (listed.includes(person)) return { kind: 'who', by: person };
    const hint =
      listed.length > 0 ? `It lists it for: ${listed.join(', ')}.` : 'List it under the principals of that person in the config.';
    return refused(`the config does not list ${principal} for ${person}`, hint);
  }
  const [only, ...others] = listed;
  if (others.length > 0) return refused(`${principal} may be ${listed.join(' or ')}`, `Say which: --person ${only}`);
  return { kind: 'who', by: only ?? principalOf(principal) };
}
