import type { EscalationRecord } from '../models.ts';

/** Name of an execution of `escalate-incident`: one for each generation, and each that takes over from it before its history is full. At most 80 characters. */
export const escalationExecution = ({
  incidentId,
  generation,
  relays = 0,
}: Pick<EscalationRecord, 'incidentId' | 'generation'> & Partial<Pick<EscalationRecord, 'relays'>>): string =>
  [incidentId, generation, ...(relays > 0 ? [relays] : [])].join('-');
