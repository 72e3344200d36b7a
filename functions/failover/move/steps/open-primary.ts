import { after, minutes } from '../../../common/duration.ts';
import { type Timestamp, timestamp } from '../../../common/ids.ts';
import type { Ports } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { FailoverRefused, NotYetPrimary } from '../../errors.ts';
import { activate, type Transition } from '../../leadership/claim.ts';
import { standingOf } from '../../leadership/standing.ts';
import { writeTransition } from '../../leadership/write-transition.ts';
import { fenceFactsOf, isFenced } from '../../lease/guarded-databases.ts';
import { leaseEndMicros } from '../../lease/lease.ts';
import { type CoordinationRecord, type FailoverPlan, FailoverRecord } from '../../models.ts';
import type { Fence } from '../../ports.ts';
import { enterPhase } from '../../report/phases.ts';
import { act, found, freshStanding, pastItsEpoch, unlessRefused } from './failover-step.ts';

type Context = Pick<Ports, 'auditLog' | 'coordination' | 'fences'> & TaskContext;

/**
 * Opens the new primary, in the order of every renewal (ADR 6): the databases' own clocks, then the record, then the leases. From the first lease on the
 * guardians of the Region renew.
 */
export const openPrimary = defineStep({
  name: 'open-primary',
  summary: 'Opens the new primary for writes.',
  network: 'production',
  timeout: minutes(1),
  needs: ['coordination:read', 'coordination:claim', 'fences:observe', 'fences:renew'],
  input: FailoverRecord,
  async run(record, context) {
    const { plan } = record;
    const standing = await freshStanding(context.coordination, record);
    if (standing !== 'promoting' && standing !== 'leads') return pastItsEpoch(record, standing);
    const opened = await unlessRefused(() =>
      act(context, record, { action: 'open-primary', resource: `epoch/${plan.epoch}` }, () => open(record, context)),
    );
    if (opened instanceof FailoverRefused) return found(record, 'lost', opened.message);
    return enterPhase(found(record, 'open', `${plan.to} accepts writes in epoch ${plan.epoch}`), 'confirm', context.clock.now());
  },
});

/** @throws FailoverRefused when this epoch is over; NotYetPrimary while a database is a replica */
async function open({ plan }: FailoverRecord, { coordination, fences, operations, clock }: Context): Promise<void> {
  const { length } = operations.failover.lease;
  const servers = await Promise.all(plan.databases.map(({ databaseId }) => fences.open(databaseId, plan.to)));
  try {
    const states = await Promise.all(servers.map((server) => server.state()));
    if (states.some(({ isReplica }) => isReplica)) throw new NotYetPrimary(`a database in ${plan.to} still says that it is a replica`);
    if (states.some(({ replacedIn }) => replacedIn === plan.epoch))
      throw new NotYetPrimary(`a name in ${plan.to} still leads to the database that was replaced`);
    const fenced = states.map(fenceFactsOf).every(isFenced);
    const clocks = await Promise.all(servers.map((server) => server.clock()));
    await leadFromHere(plan, coordination, { leaseUntil: timestamp(after(clock.now(), length)), fenced, now: clock.now() });
    // A server without the fence takes no lease, and needs none.
    const fencedServers = servers.filter((_, index) => states[index]?.installed);
    const given = await Promise.all(
      fencedServers.map((server) => lease(server, plan, leaseEndMicros(clocks[servers.indexOf(server)] ?? 0, length))),
    );
    if (given.includes(false)) throw new FailoverRefused(`a database in ${plan.to} has seen a later epoch than ${plan.epoch}`);
  } finally {
    await Promise.all(servers.map((server) => server.end()));
  }
}

const lease = (server: Fence, { epoch, to }: FailoverPlan, untilMicros: number): Promise<boolean> =>
  server.renew({ epoch, holder: to, untilMicros, primarySince: epoch });

/**
 * The write that the leases stand on. It must be one that came after the clocks were read: where the record says already that this Region leads,
 * somebody else's write could be older than the clock that we read, so it is renewed.
 */
async function leadFromHere(
  plan: FailoverPlan,
  coordination: Ports['coordination'],
  { now, ...first }: { readonly leaseUntil: Timestamp; readonly fenced: boolean; readonly now: Date },
): Promise<void> {
  const activated = await writeTransition(coordination, (current) => activate(current, plan, first, now));
  if (activated.wrote) return;
  await writeTransition(coordination, (current): Transition => renewed(current, plan, first));
}

function renewed(
  record: CoordinationRecord,
  plan: FailoverPlan,
  first: { readonly leaseUntil: Timestamp; readonly fenced: boolean },
): Transition {
  const standing = standingOf(record, plan);
  if (standing === 'leads') return { kind: 'write', record: { ...record, ...first } };
  return { kind: 'refused', because: `epoch ${plan.epoch} is over: the record is ${record.phase} in epoch ${record.epoch}` };
}
