import { randomUUID } from 'node:crypto';
import type { Clock } from '../../common/clock.ts';
import { messageOf } from '../../common/errors.ts';
import { type Region, timestamp } from '../../common/ids.ts';
import type { PatientRef } from '../events/event.ts';
import { type AuditEvent, type AuditLog, READING } from '../ports.ts';

/** Who reads the audit log, and what for. */
export interface Reader {
  /** As audit events name people: `cli/alice`. */
  readonly by: string;
  /** In words, without anything that tells who a patient is. */
  readonly purpose: string;
}

interface NotePorts {
  readonly auditLog: AuditLog;
  readonly clock: Clock;
  readonly region: Region;
}

type Details = AuditEvent['details'];

/** What somebody looked for. A patient has a place of its own, by which readings are found and erased as all events about that patient are, and stands nowhere else. */
export interface Asked {
  readonly patientRef?: PatientRef;
  /** Everything else. */
  readonly details: Details;
}

/** A reading that was told to the log, and wants its end told. */
export interface ReadNote {
  readonly actId: string;
  ended(outcome: 'success' | 'failure', more: Details): Promise<void>;
}

/**
 * Reads, tells the log, and only then gives what was read. A read that failed is told as well.
 *
 * @throws whatever `read` throws; ServiceUnavailable when the log does not take it: then nothing is given
 */
export async function auditRead<T>(
  ports: NotePorts,
  reader: Reader,
  asked: Asked,
  read: () => Promise<{ readonly result: T; readonly found: number }>,
): Promise<T> {
  const { note } = noteOf(ports, reader, asked);
  const outcome = await read().catch(async (error: unknown) => {
    await note('outcome', 'failure', { error: messageOf(error).slice(0, 300) });
    throw error;
  });
  await note('outcome', 'success', { found: outcome.found });
  return outcome.result;
}

/** Tells that a long reading begins. @throws ServiceUnavailable: then it must not begin */
export async function startedRead(ports: NotePorts, reader: Reader, asked: Asked): Promise<ReadNote> {
  const { actId, note } = noteOf(ports, reader, asked);
  await note('intent', 'pending', {});
  return { actId, ended: (outcome, more) => note('outcome', outcome, more) };
}

/** Every reading has an id of its own: two of one moment by one person are two. */
function noteOf({ auditLog, clock, region }: NotePorts, { by, purpose }: Reader, { patientRef, details }: Asked) {
  const actId = `${READING}:${randomUUID()}`;
  const note = (phase: AuditEvent['phase'], outcome: AuditEvent['outcome'], more: Details): Promise<void> =>
    auditLog.record({
      ...{ eventId: `${actId}:${phase}`, actId, phase, at: timestamp(clock.now()) },
      ...{ actor: by.slice(0, 200), action: READING, resource: 'audit-log', region, outcome },
      ...(patientRef === undefined ? {} : { patientRef }),
      details: { purpose: purpose.slice(0, 300), ...details, ...more },
    });
  return { actId, note };
}
