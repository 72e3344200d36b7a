import { hours, minutes } from '../../../common/duration.ts';
import { ServiceUnavailable } from '../../../common/errors.ts';
import type { DatabaseId } from '../../../common/ids.ts';
import type { Ports } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import type { CoordinationRecord } from '../../models.ts';
import { FailbackRecord, type FailbackRequest } from '../models.ts';
import { found, notYet, whyNotLeading } from './failback-step.ts';

/** Somebody asked for the failback because the Region is on its way back. */
const limit = hours(12);

/** Looks whether the old Region answers, and whether what was the primary there is closed: only then does it stand still. */
export const awaitOldRegion = defineStep({
  name: 'await-old-region',
  summary: 'Looks whether the old Region is back, its old primaries readable and closed for writes.',
  network: 'production',
  timeout: minutes(1),
  needs: ['coordination:read', 'replicas:describe', 'fences:observe'],
  input: FailbackRecord,
  async run(record, context) {
    const { coordination, operations, clock } = context;
    const { request } = record;
    const leads = await coordination.read();
    if (isHandedOver(leads, request)) return handedOverBefore(record, context);
    const disturbed = await whyNotLeading(coordination, record);
    if (disturbed !== undefined) return found(record, 'stopped', disturbed, clock.now());
    const reasons = await Promise.all(operations.databases.map(({ id }) => whyNotReady(id, request, context)));
    const waitingFor = reasons.filter((reason) => reason !== undefined);
    if (waitingFor.length > 0) return notYet(record, 'waiting', waitingFor.join('; '), { now: clock.now(), limit });
    return found(record, 'back', `${request.oldRegion} is back, and nothing is written there`, clock.now());
  },
});

const isHandedOver = (current: CoordinationRecord | undefined, { handOver, oldRegion, epoch }: FailbackRequest): boolean =>
  handOver && current?.phase === 'active' && current.holder === oldRegion && current.epoch === epoch + 1;

/** An execution that died after its hand-over leaves nothing to do but to say so. */
function handedOverBefore(record: FailbackRecord, { operations, clock }: TaskContext): FailbackRecord {
  const why = 'the lead was handed over before this execution began: what was found before that is in the export and in the audit log';
  const notListed = operations.databases.map(({ id }) => ({ databaseId: id, why }));
  return found({ ...record, notListed }, 'handed-over', `${record.request.oldRegion} leads already`, clock.now());
}

async function whyNotReady(
  databaseId: DatabaseId,
  { oldRegion, epoch }: FailbackRequest,
  { replicas, fences }: Pick<Ports, 'replicas' | 'fences'>,
): Promise<string | undefined> {
  try {
    const { role, status, says } = await replicas.describe(databaseId, oldRegion);
    if (status !== 'available' && role !== 'replica') return `${databaseId} in ${oldRegion}: ${says}`;
    if (role !== 'primary') return undefined; // the service or an earlier failback has rebuilt it, or there is nothing left of it
    const fence = await fences.open(databaseId, oldRegion);
    try {
      const { open, closedFor } = await fence.state();
      if (open) return `${databaseId} in ${oldRegion} accepts writes: its guardian has not closed it`;
      if (closedFor === undefined || closedFor < epoch) return `${databaseId} in ${oldRegion} is not closed for epoch ${epoch} yet`;
      return undefined;
    } finally {
      await fence.end();
    }
  } catch (error) {
    if (error instanceof ServiceUnavailable) return `${databaseId} in ${oldRegion}: ${error.message}`;
    throw error;
  }
}
