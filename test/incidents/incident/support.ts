import { minutes } from '../../../functions/common/duration.ts';
import type { IncidentPolicy } from '../../../functions/common/incident-policy.ts';
import type { Transition } from '../../../functions/incidents/incident/transition.ts';
import type { Incident } from '../../../functions/incidents/models.ts';
import { testOperations } from '../../support/operations.ts';

const operations = testOperations();

/** Two people of the config, one policy that wants one acknowledgement and one that wants two for severity 1. */
export const policy: IncidentPolicy = {
  ...operations.incidents,
  people: ['alice', 'bob', 'carol'].map((id) => ({
    ...{ id, name: id, urgent: [{ kind: 'email' as const, address: `${id}@example.org` }] },
    principals: [`lab/${id}`, `arn:aws:iam::111122223333:role/${id}`],
  })),
  policies: [
    {
      ...{ id: 'default', repeats: 1, acknowledgements: {} },
      steps: [
        { notify: [{ person: 'alice' }], wait: minutes(5) },
        { notify: [{ person: 'bob' }], wait: minutes(10) },
      ],
    },
    { id: 'two', steps: [{ notify: [{ person: 'alice' }, { person: 'bob' }], wait: minutes(5) }], repeats: 0, acknowledgements: { 1: 2 } },
  ],
  defaultPolicy: 'default',
};

export const openedAt = new Date('2026-11-21T07:00:00Z');
export const minutesLater = (count: number): Date => new Date(openedAt.getTime() + count * 60_000);

/** The incident after a transition that must have been made. */
export function done(transition: Transition): Incident {
  if (transition.kind !== 'done')
    throw new Error(`${transition.kind}: ${transition.kind === 'refused' ? transition.because : transition.says}`);
  return transition.incident;
}
