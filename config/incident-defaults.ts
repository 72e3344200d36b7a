import { z } from 'zod';
import { minutes } from '../functions/common/duration.ts';
import type { IncidentPolicy } from '../functions/common/incident-policy.ts';
import { Contact } from '../functions/common/operations.ts';
import type { IncidentProfile } from './profiles/common-incidents.ts';

type Who = Pick<IncidentPolicy, 'people' | 'schedules' | 'policies' | 'defaultPolicy'>;

/**
 * Who answers where the config does not say: the on-call contact at once ("acknowledge within 5 minutes", arocord 3.2.2), the owner when nobody did.
 * A contact that is not sound has its own message; nobody stands in for it here, so that it has only that one.
 */
export function incidentDefaults(profile: IncidentProfile, contacts: unknown, timeZone: string): IncidentProfile & Who {
  const onCall = contactOf(contacts, 'onCall');
  const owner = contactOf(contacts, 'owner');
  const person = (id: string, { name, email }: z.output<typeof Contact>): Who['people'][number] => ({
    id,
    name,
    urgent: [{ kind: 'email', address: email }],
    principals: [],
  });
  return {
    ...profile,
    people: [person('on-call', onCall), person('owner', owner)],
    schedules: [
      { id: 'on-call', timeZone, layers: [{ people: ['on-call'], from: '2026-01-01', handOver: { everyDays: 7, at: '09:00' } }] },
    ],
    policies: [
      {
        id: 'default',
        steps: [
          { notify: [{ schedule: 'on-call' }], wait: minutes(5) },
          { notify: [{ schedule: 'on-call' }, { person: 'owner' }], wait: minutes(10) },
        ],
        repeats: 3,
        acknowledgements: {},
      },
    ],
    defaultPolicy: 'default',
  };
}

const Contacts = z.object({ onCall: Contact.catch(nobody()), owner: Contact.catch(nobody()) });

function nobody(): z.output<typeof Contact> {
  return { name: 'nobody', email: 'nobody@example.org' };
}

const contactOf = (contacts: unknown, role: 'onCall' | 'owner'): z.output<typeof Contact> =>
  Contacts.safeParse(contacts).data?.[role] ?? nobody();
