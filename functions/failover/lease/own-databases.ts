import { audited } from '../../audit/audited.ts';
import { seconds, secondsBetween } from '../../common/duration.ts';
import { messageOf, ServiceUnavailable } from '../../common/errors.ts';
import { timestamp } from '../../common/ids.ts';
import type { CoordinationRecord, Epoch, FenceReceipt } from '../models.ts';
import type { Closing } from '../ports.ts';
import { within } from '../time-limit.ts';
import type { Guard, GuardContext } from './guard.ts';
import type { Duty } from './lease.ts';

/** Closing waits for open transactions to end or ends them; for longer than this the claimant has waited the lease out anyway. */
const closeSeconds = seconds(20);
/** For calls beside the proof: the network fence, and the seal on what is closed already. */
const besideSeconds = seconds(10);
/** Longest pause between two attempts to close. */
const longestPauseSeconds = 60;

type GivingWay = Extract<Duty, { readonly kind: 'give-way' }>;

/**
 * Somebody claimed this Region's epoch: its databases are closed at once, and the receipt says so, with where they ended. Then nobody waits.
 * All or nothing: without every database the claimant waits the lease out, and this is tried again, less and less often.
 */
export async function giveWay({ epoch, replaced, primarySince }: GivingWay, guard: Guard, context: GuardContext): Promise<void> {
  const { coordination, clock, region, operations } = context;
  const { closing } = guard;
  if (closing.done.has(epoch) || clock.now() < closing.notBefore) return;
  closing.attempts++;
  const pause = Math.min(longestPauseSeconds, operations.failover.lease.renewEvery * 2 ** closing.attempts);
  closing.notBefore = new Date(clock.now().getTime() + pause * 1000);
  if ((await within(clock, besideSeconds, coordination.receipt(region, epoch))) === undefined) {
    const act = { actor: 'task/guard-lease', action: 'close-databases', resource: `${region}/epoch-${epoch}` };
    await audited(context, act, async () => {
      // All of them have ended before the act has: one that fails fast must not leave the others closing under an outcome that is written down already.
      const closings = await Promise.allSettled(
        operations.databases.map(({ id }) => close(id, epoch, { replaced: id === replaced, primarySince, region }, guard, context)),
      );
      const databases = closings.map((closing) => {
        if (closing.status === 'rejected') throw closing.reason;
        return closing.value;
      });
      await within(clock, besideSeconds, coordination.putReceipt({ region, epoch, at: timestamp(clock.now()), databases }));
    });
    await changeNetwork('isolate', epoch, context);
  }
  closing.done.add(epoch);
}

async function close(
  databaseId: FenceReceipt['databases'][number]['databaseId'],
  epoch: Epoch,
  closing: Closing,
  { connections }: Guard,
  { clock, region }: GuardContext,
): Promise<FenceReceipt['databases'][number]> {
  let overdue = false;
  try {
    const closed = connections.to(databaseId, region).then((fence) => {
      // A guardian that was frozen gets its connection after its time: the act is written down as failed by then, and the next tick closes under one of its own.
      if (overdue) throw new ServiceUnavailable(`${databaseId} in ${region} answered too late to be closed in this attempt`);
      return fence.close(epoch, closing);
    });
    return { databaseId, position: await within(clock, closeSeconds, closed) };
  } catch (error) {
    overdue = true;
    connections.forget(databaseId, region);
    throw error;
  }
}

/**
 * What follows for this Region's own databases from who leads: once for each run and epoch, best effort, and after the renewal.
 *
 * The holder's network is opened again: an epoch that was rolled back, or a failback, may have left it shut. Not while a breach is contained: then a person
 * opens it, and where nobody can tell it stays shut. A hold alone keeps nothing shut, because aborting a change leaves one.
 *
 * Elsewhere an old primary that came back is closed for the present epoch: its lease ran out, but only by its clock, and a clock can be set back.
 */
export async function settleOwn(record: CoordinationRecord, guard: Guard, context: GuardContext): Promise<void> {
  const { epoch, holder, changedAt } = record;
  const { clock, region, operations, coordination, log } = context;
  if (guard.settled.has(epoch)) return;
  guard.settled.add(epoch);
  if (holder !== region) return sealOldPrimaries(record, guard, context);
  const recent = secondsBetween(new Date(changedAt), clock.now()) < operations.failover.coolDown;
  // The first epoch has none before it that could have left anything shut.
  if (!recent || epoch <= 1) return;
  const containment = await within(clock, operations.failover.observe.timeout, coordination.containment()).catch((error: unknown) => {
    guard.settled.delete(epoch); // looked at again in the next tick
    throw error;
  });
  if (containment) log.warn('the network stays shut until a person opens it', { breachId: containment.breachId, region });
  else await changeNetwork('restore', epoch, context);
}

async function sealOldPrimaries({ epoch, primarySince }: CoordinationRecord, guard: Guard, context: GuardContext): Promise<void> {
  const { operations, region, clock, log } = context;
  await Promise.all(
    operations.databases.map(async ({ id: databaseId }) => {
      try {
        const looked = guard.connections.to(databaseId, region).then(async (fence) => ({ fence, state: await fence.state() }));
        const { fence, state } = await within(clock, operations.failover.observe.timeout, looked);
        if (state.isReplica || !state.installed || (state.closedFor ?? 0) >= epoch) return;
        const act = { actor: 'task/guard-lease', action: 'close-old-primary', resource: `${region}/${databaseId}`, details: { epoch } };
        await audited(context, act, () => within(clock, closeSeconds, fence.close(epoch, { primarySince, region })));
      } catch (error) {
        // Nothing may stand there: the Region was rebuilt, or is being.
        guard.connections.forget(databaseId, region);
        log.info('no old primary could be looked at', { databaseId, region, error: messageOf(error) });
      }
    }),
  );
}

/** The second fence, at the network of this Region's databases: whether it works or not, the first one stands. */
async function changeNetwork(change: 'isolate' | 'restore', epoch: Epoch, context: GuardContext): Promise<void> {
  const { operations, region, clock, networkFence, log } = context;
  await Promise.all(
    operations.databases.map(async ({ id: databaseId }) => {
      const act = { actor: 'task/guard-lease', action: `${change}-network`, resource: `${region}/${databaseId}`, details: { epoch } };
      try {
        await audited(context, act, () => within(clock, besideSeconds, networkFence[change](databaseId, region)));
      } catch (error) {
        log.error('the network fence could not be changed', { change, databaseId, region, error: messageOf(error) });
      }
    }),
  );
}
