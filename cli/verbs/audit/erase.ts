import { type Erasure, eraseEvents } from '../../../functions/audit/erase/erase-events.ts';
import { type ErasurePlan, type ErasureTarget, planErasure } from '../../../functions/audit/erase/plan-erasure.ts';
import { PatientRef } from '../../../functions/audit/events/event.ts';
import type { Reader } from '../../../functions/audit/query/audited-read.ts';
import { InvalidInput } from '../../../functions/common/errors.ts';
import { regionsOf } from '../../../functions/common/operations-lookup.ts';
import { MisusedCommand } from '../../misused-command.ts';
import type { Report } from '../../progress.ts';
import type { Session } from '../../session.ts';
import { refsNamed } from './events-named.ts';

export const auditErasePorts = ['auditEvents', 'auditLog', 'incidents'] as const;
type EraseSession = Session<(typeof auditErasePorts)[number]>;

/** Events by their ids, or a patient. @throws MisusedCommand, InvalidInput */
export function erasureTarget(
  session: Pick<EraseSession, 'operations'>,
  { event = [], patient }: { readonly event?: readonly string[]; readonly patient?: string },
): ErasureTarget {
  if (event.length > 0 === (patient !== undefined))
    throw new MisusedCommand('whose events?', { hint: 'Give --event <id>, several times if need be, or --patient <ref>; not both.' });
  if (event.some((word) => word.includes('/')))
    throw new MisusedCommand('an event is erased wherever it was recorded', { hint: 'Give its id alone, without a Region.' });
  if (patient === undefined) return { eventIds: refsNamed(session, event).map(({ eventId }) => eventId) };
  const ref = PatientRef.safeParse(patient);
  if (ref.success) return { patientRef: ref.data };
  throw new InvalidInput('what was given for --patient is no reference', {
    hint: 'Wanted: an opaque id of 4-128 letters, digits, _ . : -',
  });
}

export const planOf = (session: EraseSession, target: ErasureTarget, reader: Reader): Promise<ErasurePlan> =>
  planErasure({ ...session.ports, ...session, regions: regionsOf(session.operations) }, target, reader);

export const carryOutErasure = (session: EraseSession, plan: ErasurePlan, erasure: Erasure, report: Report) =>
  eraseEvents({ ...session.ports, ...session }, plan, erasure, (erased) => report(`${erased} of ${plan.erase.length} erased`));

/** Whether the plan leaves something that was asked for as it is. */
export const isRefusedInPart = ({ ownActs, held, unknown }: ErasurePlan): boolean => ownActs.length + held.length + unknown.length > 0;

const shown = 20;

export function renderErasurePlan(plan: ErasurePlan): string {
  const some = <T>(list: readonly T[], line: (each: T) => string) => [
    ...list.slice(0, shown).map((each) => `  ${line(each)}`),
    ...(list.length > shown ? [`  and ${list.length - shown} more`] : []),
  ];
  const part = (title: string, lines: readonly string[]) => (lines.length === 0 ? [] : [title, ...lines]);
  return [
    plan.erase.length === 0
      ? 'Nothing is left to erase.'
      : `Erase what ${plan.erase.length} ${plan.erase.length === 1 ? 'event holds' : 'events hold'}: who, what, whom, from where. It cannot be undone. Leaves and proofs stay.`,
    ...some(plan.erase, ({ region, eventId, recordedAt, action }) => `${region}/${eventId}  ${recordedAt}  ${action}`),
    ...part(
      'Erased already',
      some(plan.erasedAlready, ({ region, eventId }) => `${region}/${eventId}`),
    ),
    ...part(
      'Kept: evidence of a breach that is not over. Resolve the incident, then ask again',
      some(plan.held, ({ region, eventId, incidentId }) => `${region}/${eventId}  of ${incidentId}`),
    ),
    ...part(
      "Kept: acts of Codeblue, but for its readings of the log, are nobody's to erase",
      some(plan.ownActs, ({ region, eventId }) => `${region}/${eventId}`),
    ),
    ...part(
      'Recorded nowhere',
      some(plan.unknown, (eventId) => eventId),
    ),
  ].join('\n');
}
