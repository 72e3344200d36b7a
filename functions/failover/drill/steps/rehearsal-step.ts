import { type Act, audited } from '../../../audit/audited.ts';
import { ServiceUnavailable } from '../../../common/errors.ts';
import { type DatabaseId, timestamp } from '../../../common/ids.ts';
import type { Ports } from '../../../common/ports.ts';
import type { TaskContext } from '../../../common/task.ts';
import type { Position } from '../../models.ts';
import { endPhases } from '../../report/phases.ts';
import { whyNotWell } from '../live-system.ts';
import type { RehearsalRecord, RehearsalStatus } from '../models.ts';

type StepContext = Pick<Ports, 'auditLog'> & TaskContext;

/** What a rehearsal consists of, for its report. */
export const rehearsalPhases = ['make', 'promote', 'write', 'remove'] as const;
export type RehearsalPhase = (typeof rehearsalPhases)[number];

/** The record with what a step found and why. */
export const found = (record: RehearsalRecord, status: RehearsalStatus, says: string): RehearsalRecord => ({
  ...record,
  status,
  says: says.slice(0, 1000),
});

/** It ends here: everything that follows is the teardown. The first reason stays. */
export const stopped = (record: RehearsalRecord, because: string): RehearsalRecord => ({
  ...found(record, 'stop', because),
  stoppedBy: record.stoppedBy ?? because.slice(0, 1000),
});

/** Ends the phase that is open and begins `name`; the one that is open already goes on. */
export function inPhase(record: RehearsalRecord, name: RehearsalPhase, now: Date): RehearsalRecord {
  const last = record.phases.at(-1);
  if (last?.name === name && last.endedAt === undefined) return record;
  return { ...record, phases: [...endPhases(record.phases, now), { name, startedAt: timestamp(now) }] };
}

/** Carries out one act of the rehearsal between two audit events (P4). */
export function act<T>(
  context: StepContext,
  { request }: RehearsalRecord,
  { action, resource, details = {} }: Pick<Act, 'action' | 'resource' | 'details'>,
  perform: () => Promise<T>,
): Promise<T> {
  const { rehearsalId, epoch, leader, region, requestedBy } = request;
  const facts = { rehearsalId, epoch, leader, rehearsedIn: region, requestedBy };
  return audited(context, { actor: 'machine/failover-rehearsal', action, resource, details: { ...facts, ...details } }, perform);
}

/** Why the rehearsal must end now for the live system's sake, or because its window closes; undefined while it may go on. */
export async function whyStop(
  { coordination, fences, operations, clock }: Pick<Ports, 'coordination' | 'fences'> & TaskContext,
  { request }: RehearsalRecord,
): Promise<string | undefined> {
  const now = clock.now();
  if (request.windowClosesAt !== undefined && Date.parse(request.windowClosesAt) <= now.getTime()) {
    return `the change window closed at ${request.windowClosesAt}`;
  }
  const [record, votes, hold] = await Promise.all([coordination.read(), coordination.votes(), coordination.hold()]);
  const replicas = new Map(
    await Promise.all(operations.databases.map(async ({ id }) => [id, await positionOf(fences, id, request.region)] as const)),
  );
  return whyNotWell({ operations, record, votes, hold, replicas, now }, request);
}

async function positionOf(
  fences: Ports['fences'],
  databaseId: DatabaseId,
  region: RehearsalRecord['request']['region'],
): Promise<Position | undefined> {
  try {
    const fence = await fences.open(databaseId, region);
    try {
      return await fence.position();
    } finally {
      await fence.end();
    }
  } catch (error) {
    if (error instanceof ServiceUnavailable) return undefined;
    throw error;
  }
}
