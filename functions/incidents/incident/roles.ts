import type { Incident } from '../models.ts';
import { line, overBecause, type Transition, type Wanted } from './transition.ts';

export type IncidentRole = keyof Incident['roles'];
export const incidentRoles = ['commander', 'communications', 'scribe'] as const satisfies readonly IncidentRole[];

/** Who leads, who tells others, who writes down: one each, and a person may have several. */
export function giveRole(incident: Incident, wanted: Wanted & { readonly role: IncidentRole; readonly to: string }): Transition {
  const over = overBecause(incident);
  if (over) return over;
  const { role, to } = wanted;
  const before = incident.roles[role];
  if (before === to) return { kind: 'unchanged', says: `${to} is ${role} already` };
  return {
    kind: 'done',
    incident: { ...incident, roles: { ...incident.roles, [role]: to } },
    entries: [line('note', wanted, `${to} is ${role}${before ? `, after ${before}` : ''}`)],
    says: `${incident.id}: ${to} is ${role}`,
  };
}
