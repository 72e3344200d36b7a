import { type Act, audited } from '../../../audit/audited.ts';
import { type Duration, formatSeconds, secondsBetween } from '../../../common/duration.ts';
import { timestamp } from '../../../common/ids.ts';
import type { Ports } from '../../../common/ports.ts';
import type { TaskContext } from '../../../common/task.ts';
import type { FailbackRecord, FailbackStatus } from '../models.ts';

type StepContext = Pick<Ports, 'auditLog'> & TaskContext;

/** The record with what a step found and why. Each status that the record reaches for the first time is a milestone. */
export function found(record: FailbackRecord, status: FailbackStatus, says: string, now: Date): FailbackRecord {
  const { waitingSince: _, ...rest } = record;
  const known = record.milestones.some(({ name }) => name === status);
  const milestones = known ? record.milestones : [...record.milestones, { name: status, at: timestamp(now) }];
  return { ...rest, status, says: says.slice(0, 1000), milestones };
}

/** Not yet: the machine comes back, until it has waited for `limit`. */
export function notYet(
  record: FailbackRecord,
  status: FailbackStatus,
  says: string,
  { now, limit }: { now: Date; limit: Duration },
): FailbackRecord {
  const since = record.waitingSince ?? timestamp(now);
  const waited = secondsBetween(new Date(since), now);
  if (waited > limit) return found(record, 'stopped', `${says}; nothing changed for ${formatSeconds(waited)}`, now);
  return { ...found(record, status, says, now), waitingSince: since };
}

/** Carries out one act of the failback between two audit events (P4). */
export function act<T>(
  context: StepContext,
  { request }: FailbackRecord,
  { action, resource, details = {} }: Pick<Act, 'action' | 'resource' | 'details'>,
  perform: () => Promise<T>,
): Promise<T> {
  const { failbackId, epoch, leader, oldRegion, requestedBy } = request;
  const facts = { failbackId, epoch, leader, oldRegion, requestedBy };
  return audited(context, { actor: 'machine/failback', action, resource, details: { ...facts, ...details } }, perform);
}

/** Why this execution may not go on, where somebody moved the lead meanwhile; undefined while its Region leads undisturbed. */
export async function whyNotLeading(coordination: Ports['coordination'], { request }: FailbackRecord): Promise<string | undefined> {
  const current = await coordination.read();
  if (current?.holder === request.leader && current.phase === 'active') return undefined;
  if (!current) return 'there is no coordination record';
  return `${request.leader} does not lead undisturbed any more: epoch ${current.epoch} is ${current.phase} for ${current.holder}`;
}
