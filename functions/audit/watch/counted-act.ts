import type { Clock } from '../../common/clock.ts';
import { type Region, timestamp } from '../../common/ids.ts';
import type { AuditEvent, AuditLog } from '../ports.ts';

interface ActPorts {
  readonly auditLog: AuditLog;
  readonly clock: Pick<Clock, 'now'>;
  readonly region: Region;
}

/** An act that takes several runs, and whose outcome tells what came of it. */
export interface CountedAct {
  /** `task/verify-audit-log`. */
  readonly actor: string;
  readonly action: string;
  readonly resource: string;
  readonly startedAt: Date;
}

/** What is to be done, before it is. Told again by a later run of the same act, it is the same. */
export const recordIntent = (act: CountedAct, details: AuditEvent['details'], ports: ActPorts): Promise<void> =>
  record('intent', 'pending', act, details, ports);

/** What came of it: counts, a root, a duration. */
export const recordOutcome = (
  act: CountedAct,
  outcome: 'success' | 'failure',
  details: AuditEvent['details'],
  ports: ActPorts,
): Promise<void> => record('outcome', outcome, act, details, ports);

async function record(
  phase: AuditEvent['phase'],
  outcome: AuditEvent['outcome'],
  { actor, action, resource, startedAt }: CountedAct,
  details: AuditEvent['details'],
  { auditLog, clock, region }: ActPorts,
): Promise<void> {
  const actId = `${action}:${resource}:${startedAt.toISOString()}`;
  await auditLog.record({
    eventId: `${actId}:${phase}`,
    actId,
    phase,
    at: timestamp(clock.now()),
    actor,
    action,
    resource,
    region,
    outcome,
    details,
  });
}
