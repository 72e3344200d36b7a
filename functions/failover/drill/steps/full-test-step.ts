import { type Act, audited } from '../../../audit/audited.ts';
import { type Duration, formatSeconds, secondsBetween } from '../../../common/duration.ts';
import { timestamp } from '../../../common/ids.ts';
import type { Ports } from '../../../common/ports.ts';
import type { TaskContext } from '../../../common/task.ts';
import { endPhases } from '../../report/phases.ts';
import type { FullTestRecord, FullTestStatus } from '../full-test-models.ts';

type Phase = 'move' | 'run here' | 'go back' | 'rebuild';

/** The record with what a step found and why. */
export function found(record: FullTestRecord, status: FullTestStatus, says: string): FullTestRecord {
  const { waitingSince: _, ...rest } = record;
  return { ...rest, status, says: says.slice(0, 1000) };
}

/** Something is not as it should be; `status` says where that leads. The first reason stays. */
export const wrong = (record: FullTestRecord, status: FullTestStatus, because: string): FullTestRecord => ({
  ...found(record, status, because),
  stoppedBy: record.stoppedBy ?? because.slice(0, 1000),
});

/** Not yet: the machine comes back, until it has waited for `limit`. */
export function notYet(
  record: FullTestRecord,
  status: FullTestStatus,
  says: string,
  { now, limit }: { readonly now: Date; readonly limit: Duration },
): FullTestRecord {
  const since = record.waitingSince ?? timestamp(now);
  const waited = secondsBetween(new Date(since), now);
  if (waited > limit) return wrong(record, 'stopped', `${says}; nothing changed for ${formatSeconds(waited)}`);
  return { ...found(record, status, says), waitingSince: since };
}

export function inPhase(record: FullTestRecord, name: Phase, now: Date): FullTestRecord {
  const last = record.phases.at(-1);
  if (last?.name === name && last.endedAt === undefined) return record;
  return { ...record, phases: [...endPhases(record.phases, now), { name, startedAt: timestamp(now) }] };
}

/** Carries out one act of the test between two audit events (P4). */
export function act<T>(
  context: Pick<Ports, 'auditLog'> & TaskContext,
  { request }: FullTestRecord,
  { action, resource, details = {} }: Pick<Act, 'action' | 'resource' | 'details'>,
  perform: () => Promise<T>,
): Promise<T> {
  const { testId, epoch, leader, region, requestedBy } = request;
  const facts = { testId, epoch, leader, testedIn: region, requestedBy };
  return audited(context, { actor: 'machine/failover-full-test', action, resource, details: { ...facts, ...details } }, perform);
}
