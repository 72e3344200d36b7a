import { z } from 'zod';
import { audited } from '../../audit/audited.ts';
import { minutes, secondsBetween } from '../../common/duration.ts';
import { messageOf } from '../../common/errors.ts';
import { type Timestamp, timestamp } from '../../common/ids.ts';
import type { PortsFor } from '../../common/ports.ts';
import { repeatedly } from '../../common/repeatedly.ts';
import { every } from '../../common/schedule.ts';
import { defineTask, type TaskContext } from '../../common/task.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { type Connections, connectionsOver } from '../connections.ts';
import { leadingRegion } from '../leadership/candidates.ts';
import { latestExecution } from '../leadership/execution-name.ts';
import type { ApprovalAnswer, CoordinationRecord, FailoverPlan, Vote } from '../models.ts';
import { within } from '../time-limit.ts';
import { type Decision, decide } from './decide.ts';
import { findingMetrics } from './finding-metrics.ts';
import { look, noWayToLook } from './looks.ts';
import { firstSighting, freshWatch, looked, resumedWatch, type Sighting, sighted, voteOf, type Watch, withoutPositions } from './watch.ts';

/** An execution that ended without an end to its plan is started again after this long: at once it would fail at once. */
const restartAfterSeconds = 20;

/** For what follows from a decision: an audit log or a machine that hangs must not keep the observer from voting for longer. */
const actSeconds = 10;

const observeNeeds = ['coordination:read', 'coordination:vote', 'probes:http', 'fences:observe', 'executions:move'] as const;
type Context = PortsFor<(typeof observeNeeds)[number]> & TaskContext;

/** What a run keeps from tick to tick. */
interface Run {
  readonly began: Timestamp;
  readonly connections: Connections;
  /** As last read; undefined before the first guardian. */
  record: CoordinationRecord | undefined;
  watch: Watch | undefined;
  /** Since when the databases that `watch` is about have been the primaries. */
  primarySince: CoordinationRecord['primarySince'];
  sighting: Sighting;
  /** The attempt whose name was found free, and when. */
  free: { readonly name: string; readonly since: Date } | undefined;
  said: string;
}

/**
 * Looks at the leading Region every few seconds, votes on what it sees, and starts the failover when the votes call for it (row F2). It runs in
 * every Region; the observer of the leading Region votes too, but moves nothing: it may be the one that is cut off. What it does is to see the change to its own
 * Region to its end, once that leads.
 *
 * Whatever fails in a tick is a finding, a metric or a log line, and the next tick comes all the same.
 */
export const observeRegions = defineTask({
  name: 'observe-regions',
  summary: 'Watches the leading Region from every Region, votes, and starts the failover that the votes call for.',
  schedule: ({ failover }) => (failover.mode === 'off' ? [] : [{ key: '', schedule: every(minutes(1)), input: {} }]),
  runsIn: 'every',
  network: 'production-if-any',
  catchUp: false,
  timeout: minutes(3),
  memoryMegabytes: 256,
  needs: observeNeeds,
  input: z.strictObject({}),
  async run(_, context) {
    const { operations, clock, deadline, log } = context;
    const { every: interval } = operations.failover.observe;
    const run: Run = {
      ...{ began: timestamp(clock.now()), connections: connectionsOver(context.fences), record: undefined, watch: undefined },
      ...{ primarySince: undefined, sighting: firstSighting(undefined), free: undefined, said: '' },
    };
    try {
      const ticks = await repeatedly({ clock, log, deadline }, interval, async () => (await tick(run, context)) === 'superseded');
      return { ticks, says: run.said };
    } finally {
      run.connections.end();
    }
  },
});

async function tick(run: Run, context: Context): Promise<'superseded' | 'blind' | 'voted'> {
  const { operations, region, clock, coordination, log } = context;
  const { observe } = operations.failover;
  const votes = await read(run, context);
  const own = votes?.find(({ observer }) => observer === region);
  if (own !== undefined && own.run > run.began) return 'superseded';
  // Without a first look at the table there is nothing to go on from, and a vote would wipe out what the run before had seen.
  if (votes === undefined && run.watch === undefined) return 'blind';

  const about = run.record ? leadingRegion(run.record) : operations.regions.primary;
  const primarySince = run.record?.primarySince;
  if (run.watch === undefined) run.watch = resumedWatch(about, own, run.record);
  else if (primarySince !== run.primarySince) {
    run.watch = withoutPositions(run.watch);
    // A connection that is kept would go on showing the one that was replaced.
    for (const { id } of operations.databases) run.connections.forget(id, about);
  }
  if (run.watch.about !== about) run.watch = freshWatch(about);
  run.primarySince = primarySince;
  run.watch = looked(run.watch, await look({ ...context, connections: run.connections }, about), observe, clock.now());
  // Whatever answers to the name now, its replacement is another.
  if (run.record?.plan?.replacement) run.watch = withoutPositions(run.watch);
  const vote = voteOf(region, run.began, run.watch, run.sighting, run.record, clock.now());
  await within(clock, observe.timeout, coordination.castVote(vote));
  await measure(run, vote, context);

  if (votes === undefined || run.record === undefined) return 'voted';
  if (about === region && run.record.committed?.plan.to !== region) return 'voted';
  const decision = await decided(run.record, [...votes.filter(({ observer }) => observer !== region), vote], context);
  if (decision.says !== run.said) log.info('decided', { action: decision.action, says: decision.says });
  run.said = decision.says;
  const isOwn = about === region && decision.action === 'move';
  if (decision.action !== 'stay' && !isOwn) await within(clock, actSeconds, carryOut(decision, run, context));
  return 'voted';
}

/** Brings the record up to date. @returns all votes; undefined when the table did not answer, and nothing is decided in this tick then */
async function read(run: Run, { coordination, clock, operations, region, metrics, log }: Context): Promise<readonly Vote[] | undefined> {
  const { observe } = operations.failover;
  const unreadable = (value: 0 | 1) =>
    metrics.put({ ...failoverMetric(metricNames.failover.coordinationUnreadable, region), value, unit: 'Count' });
  try {
    const [record, votes] = await within(clock, observe.timeout, Promise.all([coordination.read(), coordination.votes()]));
    run.record = record;
    if (run.watch === undefined) run.sighting = firstSighting(votes.find(({ observer }) => observer === region));
    if (record !== undefined) run.sighting = sighted(run.sighting, record.version, observe, clock.now());
    await unreadable(0);
    return votes;
  } catch (error) {
    log.warn('the coordination table does not answer', { error: messageOf(error) });
    await unreadable(1);
    return undefined;
  }
}

/** The decision on what is known, and what people said about it: looked up only when the votes alone would move something. */
async function decided(record: CoordinationRecord, votes: readonly Vote[], context: Context): Promise<Decision> {
  const { operations, clock, coordination } = context;
  const situation = { operations, record, votes, hold: undefined, now: clock.now() };
  const byVotes = decide(situation);
  if (byVotes.action !== 'move') return byVotes;
  const said = Promise.all([coordination.hold(), newestRefusal(byVotes.plan, context)]);
  const [hold, refusal] = await within(clock, operations.failover.observe.timeout, said);
  return decide({ ...situation, hold, refusal });
}

/** The newest rejection by a person of anything that was asked about the plan's epoch. */
async function newestRefusal({ epoch }: FailoverPlan, { coordination }: Context): Promise<ApprovalAnswer | undefined> {
  const asked = (await coordination.requests()).filter(({ question }) => question.plan.epoch === epoch);
  const answers = await Promise.all(asked.map(({ hash }) => coordination.answerTo(hash)));
  const rejections = answers.flatMap((answer) => (answer?.answer === 'rejected' ? [answer] : []));
  return rejections.sort((a, b) => (a.at < b.at ? -1 : 1)).at(-1);
}

/** Sees to it that an execution of the plan runs: the name is the epoch, so of all observers that start it one does. */
async function carryOut({ action, plan, says }: Exclude<Decision, { action: 'stay' }>, run: Run, context: Context): Promise<void> {
  const { executions, clock, log } = context;
  const { status, attempt, ref } = await latestExecution(executions, plan);
  if (status === 'running') return;
  if (status === 'used-up') return log.error('every execution of the plan failed: a human must look', { epoch: plan.epoch, says });
  if (run.free?.name !== ref.name) run.free = { name: ref.name, since: clock.now() };
  if (attempt > 1 && secondsBetween(run.free.since, clock.now()) < restartAfterSeconds) return;
  const act = {
    actor: 'task/observe-regions',
    action: action === 'move' ? 'start-failover' : 'resume-failover',
    resource: ref.name,
    details: { from: plan.from, to: plan.to, epoch: plan.epoch, says: says.slice(0, 500) },
  };
  await audited(context, act, () => executions.start({ ...ref, input: { plan } }));
}

async function measure(run: Run, vote: Vote, { metrics, region, clock }: Context): Promise<void> {
  const { findings } = vote;
  await Promise.all(findingMetrics(vote).map((metric) => metrics.put(metric)));
  const unhealthy = findings.filter(({ status }) => status === 'unhealthy').length;
  const blind = findings.filter(({ status, says }) => status === 'unknown' && says !== noWayToLook).length;
  const put = (name: string, value: number, unit: 'Count' | 'Seconds') => metrics.put({ ...failoverMetric(name, region), value, unit });
  await put(metricNames.failover.votes, 1, 'Count');
  await put(metricNames.failover.unhealthy, unhealthy, 'Count');
  await put(metricNames.failover.blind, blind, 'Count');
  if (run.record === undefined) return;
  const remaining = secondsBetween(clock.now(), new Date(run.record.leaseUntil));
  await put(metricNames.failover.leaseRemaining, remaining, 'Seconds');
  // A claim leaves the old lease as it was: since its end nobody has been able to write.
  await put(metricNames.failover.unfinishedSeconds, run.record.phase === 'active' ? 0 : Math.max(0, -remaining), 'Seconds');
}

const failoverMetric = (name: string, region: string) => ({ capability: 'failover', name, dimensions: { Region: region } });
