import { z } from 'zod';
import { audited } from '../../audit/audited.ts';
import { minutes } from '../../common/duration.ts';
import { Conflict, messageOf } from '../../common/errors.ts';
import { timestamp } from '../../common/ids.ts';
import type { PortsFor } from '../../common/ports.ts';
import { repeatedly } from '../../common/repeatedly.ts';
import { every } from '../../common/schedule.ts';
import { defineTask, type TaskContext } from '../../common/task.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { type Connections, connectionsOver } from '../connections.ts';
import { candidateRegions } from '../leadership/candidates.ts';
import type { CoordinationRecord } from '../models.ts';
import { within } from '../time-limit.ts';
import { examine, type Guarded, isFenced, type KnownFences } from './guarded-databases.ts';
import { type Duty, dutyOf, firstRecord, isSuperseded, leaseEndMicros, type Renewal, renewed } from './lease.ts';
import { giveWay, settleOwn } from './own-databases.ts';

const guardNeeds = ['coordination:read', 'coordination:renew', 'fences:renew', 'network-fence:isolate'] as const;
export type GuardContext = PortsFor<(typeof guardNeeds)[number]> & TaskContext;

/** What a run keeps from tick to tick. */
export interface Guard {
  readonly by: Renewal['by'];
  readonly connections: Connections;
  readonly known: KnownFences;
  /** Epochs for which this Region's own databases were closed, and when the next attempt is due. */
  readonly closing: { readonly done: Set<number>; attempts: number; notBefore: Date };
  /** Epochs in which it was seen to that this Region's own databases are as they must be. */
  readonly settled: Set<number>;
  /** The epoch that the open connections are of. */
  epoch: number | undefined;
}

/**
 * Keeps the lease of the leading Region alive (ADR 6). A guardian runs in each Region that can lead, and either alone is enough: losing one loses
 * nothing. When the databases' own guardian sees that somebody else claimed the epoch, it closes them at once.
 */
export const guardLease = defineTask({
  name: 'guard-lease',
  summary: 'Renews the lease under which the leading Region may write, and closes its databases when another Region claims it.',
  schedule: ({ failover }) => (failover.mode === 'off' ? [] : [{ key: '', schedule: every(minutes(1)), input: {} }]),
  runsIn: 'candidate',
  network: 'production',
  catchUp: false,
  timeout: minutes(3),
  memoryMegabytes: 256,
  needs: guardNeeds,
  input: z.strictObject({}),
  async run(_, context) {
    const { operations, clock, region, log, deadline } = context;
    const guard: Guard = {
      by: { region, run: timestamp(clock.now()) },
      connections: connectionsOver(context.fences),
      known: new Map(),
      closing: { done: new Set(), attempts: 0, notBefore: clock.now() },
      settled: new Set(),
      epoch: undefined,
    };
    let renewals = 0;
    try {
      const ticks = await repeatedly({ clock, log, deadline }, operations.failover.lease.renewEvery, async () => {
        const outcome = await tick(guard, context);
        if (outcome === 'renewed') renewals++;
        return outcome === 'superseded';
      });
      return { ticks, renewals };
    } finally {
      guard.connections.end();
    }
  },
});

type Outcome = 'renewed' | 'not-renewed' | 'gave-way' | 'waited' | 'superseded';

/** One tick, and one number for the alarm: whether this guardian does its duty. */
async function tick(guard: Guard, context: GuardContext): Promise<Outcome> {
  let outcome: Outcome = 'not-renewed';
  try {
    outcome = await dutiful(guard, context);
    return outcome;
  } finally {
    if (outcome !== 'superseded') await measure(metricNames.failover.guarded, outcome === 'not-renewed' ? 0 : 1, context);
  }
}

async function dutiful(guard: Guard, context: GuardContext): Promise<Outcome> {
  const { region, operations } = context;
  for (let race = 0; race < 2; race++) {
    const record = await readRecord(context);
    if (record !== undefined && isSuperseded(record, region, guard.by.run)) return 'superseded';
    // A database may have been replaced by one of the same name, which a connection that is kept would never see.
    if (record?.epoch !== guard.epoch) forgetAll(guard, context);
    guard.epoch = record?.epoch;
    const duty = dutyOf(record, region, operations.regions.primary);
    try {
      return await fulfil(duty, guard, context);
    } catch (error) {
      // The other guardian renewed, or somebody claimed: what was read is not so any more. Once more from the start, and then in the next tick.
      if (!(error instanceof Conflict)) throw error;
    }
  }
  return 'not-renewed';
}

function forgetAll({ connections, known }: Guard, { operations }: GuardContext): void {
  for (const { id } of operations.databases) for (const region of candidateRegions(operations)) connections.forget(id, region);
  known.clear();
}

async function readRecord(context: GuardContext): Promise<CoordinationRecord | undefined> {
  const { clock, operations, coordination } = context;
  let unreadable = 1;
  try {
    const record = await within(clock, operations.failover.observe.timeout, coordination.read());
    unreadable = 0;
    return record;
  } finally {
    await measure(metricNames.failover.coordinationUnreadable, unreadable, context);
  }
}

async function fulfil(duty: Duty, guard: Guard, context: GuardContext): Promise<Outcome> {
  switch (duty.kind) {
    case 'wait':
      return 'waited';
    case 'give-way':
      await giveWay(duty, guard, context);
      return 'gave-way';
    case 'begin':
      return begin(guard, context);
    case 'renew': {
      const outcome = await renew(duty.record, guard, context);
      await settleOwn(duty.record, guard, context);
      return outcome;
    }
  }
}

/**
 * The renewal, in the order on which the proof rests: the databases' clocks, the record, the leases. A database that does not answer gets no lease
 * from this renewal, and the others go on: each lease ends `length` after a clock that was read before the record was
 * renewed, whoever else got one. When none answers the record is left alone, so that observers see its age.
 */
async function renew(record: CoordinationRecord, guard: Guard, context: GuardContext): Promise<Outcome> {
  const { operations, coordination, clock, log } = context;
  const { lease, observe } = operations.failover;
  const at = clock.now();
  const databases = await examine(guard, record.holder, context);
  const writable = databases.filter(({ isReplica }) => !isReplica);
  if (writable.length === 0) {
    log.warn('no database of the holder answers this guardian: nothing is renewed', { holder: record.holder });
    return 'not-renewed';
  }
  const complete = writable.length === operations.databases.length;
  const fenced = (complete || record.fenced) && writable.every(isFenced);
  await measure(metricNames.failover.unfencedTables, sum(writable.map(({ unfencedTables }) => unfencedTables)), context);
  const renewal: Renewal = { by: guard.by, at, length: lease.length, fenced };
  const stored = await within(clock, observe.timeout, coordination.replace(renewed(record, renewal)));
  const leased = await grant(writable, stored, guard, context);
  return leased && complete ? 'renewed' : 'not-renewed';
}

/** The first record of all. Only with every database in sight, and none of them a replica: somebody else may lead already otherwise. */
async function begin(guard: Guard, context: GuardContext): Promise<Outcome> {
  const { operations, coordination, clock, region, log } = context;
  const at = clock.now();
  const databases = await examine(guard, region, context);
  if (databases.length < operations.databases.length || databases.some(({ isReplica }) => isReplica)) {
    log.warn('nobody has led yet, and not every database here is a primary that answers', { answering: databases.length });
    return 'not-renewed';
  }
  const fenced = databases.every(isFenced);
  const first = firstRecord({ by: guard.by, at, length: operations.failover.lease.length, fenced });
  const act = { actor: 'task/guard-lease', action: 'begin-leadership', resource: `${region}/epoch-${first.epoch}` };
  await audited(context, act, () => within(clock, operations.failover.observe.timeout, coordination.create(first)));
  return (await grant(databases, first, guard, context)) ? 'renewed' : 'not-renewed';
}

/** Gives each database its lease from the clock that was read of it. @returns whether all took it */
async function grant(
  databases: readonly Guarded[],
  { epoch, holder, primarySince }: CoordinationRecord,
  guard: Guard,
  context: GuardContext,
): Promise<boolean> {
  const { clock, operations, log } = context;
  const { lease, observe } = operations.failover;
  const taken = await Promise.all(
    databases
      .filter(({ isInstalled }) => isInstalled)
      .map(async ({ databaseId, clockMicros, fence }) => {
        try {
          const until = leaseEndMicros(clockMicros, lease.length);
          const took = await within(clock, observe.timeout, fence.renew({ epoch, holder, untilMicros: until, primarySince }));
          if (took) return true;
          // Its name may have led to a database that was replaced: the next tick asks again where it leads.
          guard.connections.forget(databaseId, holder);
          guard.known.delete(databaseId);
          log.warn('the database has seen a later epoch, or was replaced, and takes no lease', { databaseId, epoch });
          return false;
        } catch (error) {
          guard.connections.forget(databaseId, holder);
          guard.known.delete(databaseId);
          log.warn('the database did not take its lease', { databaseId, epoch, error: messageOf(error) });
          return false;
        }
      }),
  );
  return taken.every(Boolean);
}

const measure = (name: string, value: number, { metrics, region }: GuardContext): Promise<void> =>
  metrics.put({ capability: 'failover', name, value, unit: 'Count', dimensions: { Region: region } });

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
