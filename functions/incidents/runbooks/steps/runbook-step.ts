import { type Act, audited } from '../../../audit/audited.ts';
import type { Ports } from '../../../common/ports.ts';
import type { TaskContext } from '../../../common/task.ts';
import type { TimelineEntry } from '../../models.ts';
import type { RunbookRecord, RunbookStatus } from '../models.ts';

/** The record with what a step found and why. */
export const found = (record: RunbookRecord, status: RunbookStatus, says: string): RunbookRecord => ({
  ...record,
  status,
  says: says.slice(0, 1000),
});

/** Carries out one act of a run between two audit events (P4). */
export function act<T>(
  context: Pick<Ports, 'auditLog'> & TaskContext,
  { request }: Pick<RunbookRecord, 'request'>,
  { action, resource, details = {} }: Pick<Act, 'action' | 'resource' | 'details'>,
  perform: () => Promise<T>,
): Promise<T> {
  const { runId, runbook, alarm, requestedBy, incident } = request;
  const facts = { runId, runbook, alarm, requestedBy, ...(incident ? { incidentId: incident.id } : {}) };
  return audited(context, { actor: 'machine/run-runbook', action, resource, details: { ...facts, ...details } }, perform);
}

/** A line on the incident that the run is for, where there is one. */
export async function tellIncident(
  { incidents }: Pick<Ports, 'incidents'>,
  { request }: Pick<RunbookRecord, 'request'>,
  { at, says }: Pick<TimelineEntry, 'at' | 'says'>,
): Promise<void> {
  if (!request.incident) return;
  const entry: TimelineEntry = { at, kind: 'runbook', by: 'machine/run-runbook', says: `${request.runbook}: ${says}`.slice(0, 1000) };
  await incidents.append(request.incident.id, [entry]);
}
