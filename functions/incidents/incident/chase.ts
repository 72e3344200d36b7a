import type { Executions } from '../../maintenance/ports.ts';
import { escalationExecution } from '../escalation/execution-name.ts';
import { isOver } from '../is-over.ts';
import { EscalationRecord, type Incident } from '../models.ts';

/** Sees to it that somebody is told of this generation. Starting it twice is no error, so whoever is not sure does it again. */
export async function chase(incident: Incident, executions: Executions): Promise<void> {
  if (isOver(incident)) return;
  const { id: incidentId, home: region, generation } = incident;
  const record = EscalationRecord.parse({ incidentId, generation });
  await executions.start({ region, machine: 'escalate-incident', name: escalationExecution(record), input: record });
}
