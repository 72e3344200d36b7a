import { before, days } from '../../common/duration.ts';
import { timestamp } from '../../common/ids.ts';
import type { Incident } from '../models.ts';
import { line, refused, type Transition, type Wanted } from './transition.ts';

/** The longest that an incident may be open or past before it is found to be a breach: who watches the clocks of the law looks so far back, and 60 days more. */
export const breachKnownWithin = days(120);

/**
 * It is a breach of people's data: the clocks of the law run, from when it became known, which may be before somebody said so. An earlier moment may be told later; a later
 * one never, since a clock that runs cannot be set back.
 */
export function declareBreach(incident: Incident, wanted: Wanted & { readonly knownAt: Date }): Transition {
  const { now, knownAt } = wanted;
  if (incident.status === 'merged') return refused(`${incident.id} goes on as ${incident.mergedInto}`, 'Declare it there.');
  if (knownAt > now) return refused(`${knownAt.toISOString()} has not come yet`, 'Name when it became known.');
  if (new Date(incident.openedAt) < before(now, breachKnownWithin)) {
    return refused(`${incident.id} was opened at ${incident.openedAt}, more than 120 days ago`, 'Declare a new incident for it.');
  }
  const at = timestamp(knownAt);
  const { breachDeclaredAt } = incident;
  if (breachDeclaredAt === at) return { kind: 'unchanged', says: `${incident.id} is a breach since ${at} already` };
  if (breachDeclaredAt && breachDeclaredAt < at) {
    return refused(`the clocks of the law run since ${breachDeclaredAt}, and cannot be set back`, 'What is known now goes into a note.');
  }
  return {
    kind: 'done',
    incident: { ...incident, breachDeclaredAt: at },
    entries: [line('decision', wanted, `declared a breach, known since ${at}: the clocks of the law run`)],
    says: `${incident.id} is a breach, known since ${at}`,
  };
}
