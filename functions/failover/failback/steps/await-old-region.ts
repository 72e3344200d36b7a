import { hours, minutes } from '../../../common/duration.ts';
import { ServiceUnavailable } from '../../../common/errors.ts';
import type { DatabaseId } from '../../../common/ids.ts';
import type { Ports } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import type { CoordinationRecord, Epoch } from '../../models.ts';
import { whyAstray } from '../../move/followed-primary.ts';
import type { FenceState } from '../../ports.ts';
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
    const looks = await Promise.all(operations.databases.map(({ id }) => lookAt(id, request, leads, context)));
    const waitingFor = looks.flatMap(({ notReady }) => notReady ?? []);
    if (waitingFor.length > 0) return notYet(record, 'waiting', waitingFor.join('; '), { now: clock.now(), limit });
    const astray = looks.flatMap(({ databaseId, astray: why }) => (why === undefined ? [] : [{ databaseId, why }]));
    const strays = astray.map(({ databaseId, why }) => `; the replica of ${databaseId} there ${why}`).join('');
    return found({ ...record, astray }, 'back', `${request.oldRegion} is back, and nothing is written there${strays}`, clock.now());
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

interface Look {
  readonly databaseId: DatabaseId;
  /** Why nothing can be done yet. */
  readonly notReady?: string | undefined;
  readonly astray?: string | undefined;
}

async function lookAt(
  databaseId: DatabaseId,
  { oldRegion, epoch }: FailbackRequest,
  leads: CoordinationRecord | undefined,
  { replicas, fences }: Pick<Ports, 'replicas' | 'fences'>,
): Promise<Look> {
  const name = `${databaseId} in ${oldRegion}`;
  try {
    const { role, status, says } = await replicas.describe(databaseId, oldRegion);
    if (status !== 'available' && role !== 'replica') return { databaseId, notReady: `${name}: ${says}` };
    // Nothing is left of it, or the service or an earlier failback is rebuilding it.
    if (role === 'absent' || status !== 'available') return { databaseId };
    const fence = await fences.open(databaseId, oldRegion);
    try {
      const state = await fence.state();
      if (role === 'replica') return { databaseId, astray: leads && whyAstray(state, leads) };
      return { databaseId, notReady: whyNotClosed(name, state, epoch) };
    } finally {
      await fence.end();
    }
  } catch (error) {
    if (error instanceof ServiceUnavailable) return { databaseId, notReady: `${name}: ${error.message}` };
    throw error;
  }
}

function whyNotClosed(name: string, { open, closedFor }: FenceState, epoch: Epoch): string | undefined {
  if (open) return `${name} accepts writes: its guardian has not closed it`;
  return closedFor === undefined || closedFor < epoch ? `${name} is not closed for epoch ${epoch} yet` : undefined;
}
