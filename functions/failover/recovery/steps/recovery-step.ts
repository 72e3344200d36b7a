import { type Act, audited } from '../../../audit/audited.ts';
import { type Duration, formatSeconds, secondsBetween } from '../../../common/duration.ts';
import { timestamp } from '../../../common/ids.ts';
import type { Ports } from '../../../common/ports.ts';
import type { TaskContext } from '../../../common/task.ts';
import { endPhases } from '../../report/phases.ts';
import type { RecoveryRecord, RecoveryStatus } from '../models.ts';

type Phase = 'keep' | 'restore' | 'inspect' | 'prepare' | 'replace' | 'protect';

/** The record with what a step found and why. */
export function found(record: RecoveryRecord, status: RecoveryStatus, says: string): RecoveryRecord {
  const { waitingSince: _, ...rest } = record;
  return { ...rest, status, says: says.slice(0, 1000) };
}

/** Something is not as it should be; `status` says where that leads. The first reason stays. */
export const wrong = (record: RecoveryRecord, status: RecoveryStatus, because: string): RecoveryRecord => ({
  ...found(record, status, because),
  stoppedBy: record.stoppedBy ?? because.slice(0, 1000),
});

/** Not yet: the machine comes back, until it has waited for `limit`. Then it is `tooLong`. */
export function notYet(
  record: RecoveryRecord,
  status: RecoveryStatus,
  says: string,
  { now, limit, tooLong = 'stopped' }: { readonly now: Date; readonly limit: Duration; readonly tooLong?: RecoveryStatus },
): RecoveryRecord {
  const since = record.waitingSince ?? timestamp(now);
  const waited = secondsBetween(new Date(since), now);
  if (waited > limit) return wrong(record, tooLong, `${says}; nothing changed for ${formatSeconds(waited)}`);
  return { ...found(record, status, says), waitingSince: since };
}

export function inPhase(record: RecoveryRecord, name: Phase, now: Date): RecoveryRecord {
  const last = record.phases.at(-1);
  if (last?.name === name && last.endedAt === undefined) return record;
  return { ...record, phases: [...endPhases(record.phases, now), { name, startedAt: timestamp(now) }] };
}

/** Carries out one act of the recovery between two audit events (P4). */
export function act<T>(
  context: Pick<Ports, 'auditLog'> & TaskContext,
  { request }: RecoveryRecord,
  { action, resource, details = {} }: Pick<Act, 'action' | 'resource' | 'details'>,
  perform: () => Promise<T>,
): Promise<T> {
  const { recoveryId, databaseId, until, epoch, requestedBy } = request;
  const facts = { recoveryId, databaseId, until, epoch, requestedBy };
  return audited(context, { actor: 'machine/recover-database', action, resource, details: { ...facts, ...details } }, perform);
}

/** Why this execution may not go on, where somebody moved the lead meanwhile; undefined while its Region leads in the epoch that it was asked for in. */
export async function whyNotLeading(
  { coordination, region: here }: Pick<Ports, 'coordination'> & Pick<TaskContext, 'region'>,
  { request: { region, epoch } }: RecoveryRecord,
): Promise<string | undefined> {
  if (here !== region) return `a recovery in ${region} was started in ${here}`;
  const current = await coordination.read();
  if (current?.holder === region && current.epoch === epoch && current.phase === 'active') return undefined;
  if (!current) return 'there is no coordination record';
  return `${region} does not lead undisturbed in epoch ${epoch} any more: epoch ${current.epoch} is ${current.phase} for ${current.holder}`;
}

/** Takes a hold away that this recovery put, or one of `also`; no other. */
export async function releaseHold(
  context: Pick<Ports, 'auditLog' | 'coordination'> & TaskContext,
  record: RecoveryRecord,
  also?: string,
): Promise<void> {
  const { coordination } = context;
  const hold = await coordination.hold();
  if (hold === undefined || ![record.request.recoveryId, also].includes(hold.by)) return;
  await act(context, record, { action: 'release-failover', resource: 'hold', details: { heldBy: hold.by } }, () =>
    coordination.putHold(undefined),
  );
}
