import { type Act, audited } from '../../../audit/audited.ts';
import { type Duration, formatSeconds, secondsBetween } from '../../../common/duration.ts';
import { timestamp } from '../../../common/ids.ts';
import type { Ports } from '../../../common/ports.ts';
import type { TaskContext } from '../../../common/task.ts';
import type { BreachRecord, BreachStatus } from '../models.ts';

/** The record with what a step found and why. */
export function found(record: BreachRecord, status: BreachStatus, says: string): BreachRecord {
  const { waitingSince: _, ...rest } = record;
  return { ...rest, status, says: says.slice(0, 1000) };
}

/** What could not be done, once each. A machine that gave up here would leave the rest undone too. */
export const withGaps = (record: BreachRecord, gaps: readonly string[]): BreachRecord => ({
  ...record,
  gaps: [...new Set([...record.gaps, ...gaps.map((gap) => gap.slice(0, 300))])].slice(0, 200),
});

/** Whether the machine has waited here for longer than `limit`; if not, the record to come back with. */
export function stillWaiting(
  record: BreachRecord,
  status: BreachStatus,
  says: string,
  { now, limit }: { readonly now: Date; readonly limit: Duration },
): BreachRecord | undefined {
  const since = record.waitingSince ?? timestamp(now);
  if (secondsBetween(new Date(since), now) > limit) return undefined;
  return { ...found(record, status, says), waitingSince: since };
}

export const gaveUpAfter = (limit: Duration): string => `given up after ${formatSeconds(limit)}`;

/** Carries out one act of the containment between two audit events (P4). */
export function act<T>(
  context: Pick<Ports, 'auditLog'> & TaskContext,
  { request }: BreachRecord,
  { action, resource, details = {} }: Pick<Act, 'action' | 'resource' | 'details'>,
  perform: () => Promise<T>,
): Promise<T> {
  const { breachId, epoch, requestedBy } = request;
  return audited(
    context,
    { actor: 'machine/contain-breach', action, resource, details: { breachId, epoch, requestedBy, ...details } },
    perform,
  );
}
