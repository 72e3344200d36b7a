import { audited } from '../../../functions/audit/audited.ts';
import type { AuditEvent } from '../../../functions/audit/ports.ts';
import { InvalidInput } from '../../../functions/common/errors.ts';
import { type Changed, changeStored } from '../../../functions/incidents/incident/change-stored.ts';
import { chase } from '../../../functions/incidents/incident/chase.ts';
import type { Transition, Wanted } from '../../../functions/incidents/incident/transition.ts';
import { whoIs } from '../../../functions/incidents/incident/who.ts';
import type { Incident } from '../../../functions/incidents/models.ts';
import type { Session } from '../../session.ts';

export const incidentChangePorts = ['auditLog', 'executions', 'incidents'] as const;
export type ChangeSession = Session<(typeof incidentChangePorts)[number]>;

/** What a person wants of an incident: decided on what is stored, shown before it is done, and decided again when it is. */
export interface WantedChange {
  readonly action: string;
  /** For the audit log: ids, times and reasons. */
  readonly details?: AuditEvent['details'];
  decide(incident: Incident, wanted: Wanted): Transition;
}

/** Who acts: the principal for the audit log, and the name that the incident shows. @throws InvalidInput */
export function actorOf(
  { operations }: Pick<ChangeSession, 'operations'>,
  principal: string,
  person?: string,
): { readonly principal: string; readonly by: string } {
  const who = whoIs(principal, operations.incidents, person);
  if (who.kind === 'refused') throw new InvalidInput(who.because, { hint: who.hint });
  return { principal, by: who.by };
}

/** What would come of it now. @throws InvalidInput with the reason of a refusal */
export function foresee(
  { clock }: Pick<ChangeSession, 'clock'>,
  incident: Incident,
  { decide }: WantedChange,
  by: string,
): Extract<Transition, { says: string }> {
  const transition = decide(incident, { by, now: clock.now() });
  if (transition.kind === 'refused') throw new InvalidInput(transition.because, { hint: transition.hint });
  return transition;
}

/**
 * Does it, in the incident's home, between two events of the audit log; a generation that begins with it has people told, and one that should have had them told before is
 * asked for again.
 */
export async function carryOut(
  session: ChangeSession,
  incident: Pick<Incident, 'id'>,
  { action, details = {}, decide }: WantedChange,
  { principal, by }: ReturnType<typeof actorOf>,
): Promise<Changed> {
  const { ports, clock, region } = session;
  const act = { actor: `cli/${principal}`.slice(0, 200), action, resource: incident.id, details: { ...details, as: by } };
  return audited({ auditLog: ports.auditLog, clock, region }, act, async () => {
    const changed = await changeStored(incident.id, (stored, now) => decide(stored, { by, now }), { incidents: ports.incidents, clock });
    const begins = changed.incident.generation > changed.before.generation;
    if (begins || !changed.changed) await chase(changed.incident, ports.executions);
    return changed;
  });
}
