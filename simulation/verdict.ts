import { canonicalText } from '../functions/common/canonical-json.ts';
import { judgeAnswer } from '../functions/failover/approval/approvals.ts';
import type { ApprovalRequest, CoordinationRecord, FailoverPlan } from '../functions/failover/models.ts';
import type { ClientView } from './clients.ts';
import type { Exchange, Fork } from './monitor.ts';
import { microsPerSecond, toMicros } from './virtual-time.ts';
import type { World } from './world.ts';

/** What must not happen is looked for so long after the last fault. */
const watchFor = toMicros(14);

/** Nothing is under way, the last change is told and recorded, and clients of the Region that leads have written since the last fault. */
export function isAtRest(world: World): boolean {
  const { time, scenario, table, executions, monitor } = world;
  if (time.now < scenario.quietFrom + watchFor) return false;
  if (table.record === undefined && scenario.coldStart) return true; // lost before anybody ever led: there is nothing to move
  if (table.record?.phase !== 'active' || table.record.committed || executions.goingOn.length > 0) return false;
  const { lastCommitAt, lastCommitBy } = monitor;
  const leads = lastCommitBy !== undefined && world.server(lastCommitBy.databaseId, table.record.holder) === lastCommitBy;
  return leads && lastCommitAt > scenario.quietFrom && time.now - lastCommitAt < toMicros(4);
}

/** What can only be said when a run is over. */
export function judgeEnd(world: World, clients: ClientView): void {
  if (world.monitor.violations.length > 0) return; // the run was stopped there
  judgeLife(world);
  judgeExpectations(world, clients);
  judgeAudit(world);
  for (const fork of world.monitor.forks) judgeLoss(world, fork);
  for (const exchange of world.monitor.exchanges) judgeExchange(world, exchange);
}

/** Row F5: what needs an approval is not claimed without one, of this very plan, by somebody who may. */
export function judgeClaim(world: World, { phase, plan }: CoordinationRecord): void {
  if (phase !== 'claimed' || !plan || !(plan.needsApproval || world.scenario.policy.mode === 'approve')) return;
  const approved = agreedQuestions(world, plan).some(({ question }) => question.question === 'start');
  if (!approved) world.monitor.violated('P5', `epoch ${plan.epoch} is claimed without the approval that it needs`);
}

/** P2: every failover ended, and somebody accepts writes. */
function judgeLife(world: World): void {
  const { scenario, table, executions, monitor, surroundings } = world;
  if (isAtRest(world) || !scenario.expects.saneClocks) return;
  const { record } = table;
  const hung = executions.goingOn.map(({ name, state }) => `${name} in "${state}"`);
  const waitsForHuman =
    hung.length === 0 && surroundings.notices.some(({ severity, subject }) => severity === 1 && subject.includes('needs a human'));
  if (waitsForHuman && record?.phase !== 'active') return;
  if (hung.length === 0 && isUnseen(world)) return;
  if (isLostWhileReplaced(world)) return;
  monitor.violated(
    'P2',
    `not at rest: ${record?.phase} for ${record?.holder} in epoch ${record?.epoch}; ${hung.join(', ') || 'nothing runs'}; last commit at ${(monitor.lastCommitAt / microsPerSecond).toFixed(1)} s`,
  );
}

/**
 * What P2 presupposes: two observers saw the leading Region well before the fault. One that was dead until then has no evidence (ADR 6), and must have said
 * so: people move the lead then.
 */
function isUnseen({ table: { record, votes }, surroundings }: World): boolean {
  if (record?.phase !== 'active') return false;
  const outside = [...votes.values()].filter(({ observer }) => observer !== record.holder);
  const blind = outside.filter(({ about, findings }) => about === record.holder && findings.every(({ status }) => status === 'unknown'));
  return blind.some(({ observer }) => (surroundings.blindSubjects.get(observer) ?? 0) > 0);
}

/**
 * What P2 leaves out: a Region that is lost for good while one of its databases is being replaced. The claim belongs to that Region, so nobody else may lead before
 * people decide; observers elsewhere must have said that a change does not end.
 */
function isLostWhileReplaced({ table: { record }, network, surroundings }: World): boolean {
  if (record?.plan?.kind !== 'replace' || network.isUp(record.plan.to)) return false;
  return [...surroundings.unfinishedSeconds].some(([region, seconds]) => region !== record.holder && seconds > 0);
}

function judgeExpectations({ scenario, table, monitor, executions }: World, clients: ClientView): void {
  const { nothingMoves, nothingRefused, endsIn } = scenario.expects;
  if (nothingMoves && executions.all.size > 0)
    monitor.violated('P6', `${[...executions.all.keys()].join(', ')} was started although ${scenario.title}`);
  if (nothingRefused && clients.refused > 0) monitor.violated('P7', `${clients.refused} writes were refused although ${scenario.title}`);
  if (endsIn !== undefined && table.record && table.record.holder !== endsIn)
    monitor.violated('P3', `it ended in ${table.record.holder}, and without the crashes in ${endsIn}`);
}

/** P4: whoever lives writes down how each of its acts ended. */
function judgeAudit({ surroundings, monitor, scenario, processes }: World): void {
  if (scenario.weather) return; // the outcome itself can be what was lost
  for (const [actId, process] of surroundings.actors) {
    if (process.openActs.has(actId) && process.alive && !processes.has(process) && !process.hadTrouble)
      monitor.violated('P4', `${process.name} never wrote down how ${actId} ended`);
  }
}

/**
 * P5: what the new primary lacks is within the budget, or a person accepted a loss as great. A planned change loses nothing.
 *
 * Loss as time begins where the replica ends, with the first durable commit that it lacks, and lasts until the last write was accepted. How long a commit takes
 * between the two is not time in which more was written: a transaction checked long before the cut and durable after it is one that is lost, not ten seconds of them.
 */
function judgeLoss(world: World, { server, source, led, plan, applied }: Fork): void {
  const { monitor, scenario } = world;
  // What it lacks is what the primary had that led: a replica of another one lacks everything since their histories parted.
  const has = new Set(server.log.slice(0, applied));
  const lost = (led ?? source).log.flatMap((entry) =>
    entry.commit && !has.has(entry) ? [{ at: entry.at, acceptedAt: entry.commit.acceptedAt }] : [],
  );
  const [first] = lost;
  if (!first || !plan) return;
  const lastAccepted = Math.max(...lost.map(({ acceptedAt }) => acceptedAt));
  const seconds = Math.max(0, lastAccepted - first.at) / microsPerSecond;
  const budget = world.scenario.policy.budgetSeconds;
  const says = `${lost.length} commits over ${seconds.toFixed(1)} s are lost by the ${plan.kind} to ${plan.to}`;
  if (plan.kind === 'switchover') {
    monitor.violated('P5', says);
    return;
  }
  const tolerance = clockError(world);
  if (!scenario.expects.saneClocks || seconds <= Math.max(budget, accepted(world, plan)) + tolerance) return;
  monitor.violated('P5', `${says}; the budget is ${budget} s, and people accepted ${accepted(world, plan)} s`);
}

/**
 * P5: a copy loses what came after the moment to which it was restored, for which people were told a figure that covers it, and nothing else. The other databases
 * of its Region stay what they were.
 */
function judgeExchange({ monitor, scenario }: World, { damaged, copy, restoredAt, committed }: Exchange): void {
  const { databaseId } = copy;
  const has = new Set(copy.log);
  const lost = damaged.log.filter(({ commit }) => commit).filter((entry) => !has.has(entry));
  const before = lost.filter(({ at }) => at <= restoredAt);
  if (before.length > 0)
    monitor.violated('P5', `${before.length} commits of before the chosen moment are not in the copy of ${databaseId}`);
  const told = committed?.losses.find((loss) => loss.databaseId === databaseId)?.atMostSeconds;
  const seconds = Math.max(0, ...lost.map(({ commit }) => (commit?.acceptedAt ?? 0) - restoredAt)) / microsPerSecond;
  if (told === undefined) monitor.violated('P5', `nobody was told what the replacement of ${databaseId} loses`);
  else if (scenario.expects.saneClocks && seconds > told + clockError({ scenario })) {
    monitor.violated('P5', `the replacement of ${databaseId} loses ${seconds.toFixed(1)} s, and people were told ${told} s`);
  }
  const others = monitor.forks.filter(({ plan }) => plan?.epoch === committed?.plan.epoch);
  if (others.length > 0) monitor.violated('P5', `replacing ${databaseId} promoted ${others.length} other databases`);
}

/** By how much a comparison of two clocks can be wrong in this run, seconds. */
function clockError({ scenario }: Pick<World, 'scenario'>): number {
  const errors = [...scenario.regionClocks.values(), ...scenario.databaseClocks.values()];
  return errors.reduce((sum, { offset, step }) => Math.max(sum, Math.abs(offset)) + Math.abs(step?.by ?? 0), 0) / microsPerSecond + 0.5;
}

/** The greatest loss that somebody who may has agreed to for this plan, seconds. */
function accepted(world: World, plan: FailoverPlan): number {
  const losses = agreedQuestions(world, plan).flatMap(({ question }) => (question.question === 'accept-loss' ? question.losses : []));
  return Math.max(0, ...losses.map((loss) => (loss.lastKnownAgeSeconds === undefined ? Number.POSITIVE_INFINITY : loss.atMostSeconds)));
}

/** Questions about this very plan that a person who may has approved, as it stands in the table and not as a step judged it. */
function agreedQuestions({ table, operations }: World, plan: FailoverPlan): readonly ApprovalRequest[] {
  return table.requests.filter((request) => {
    if (canonicalText(request.question.plan) !== canonicalText(plan)) return false;
    const answer = table.answers.get(request.hash);
    if (!answer) return false;
    return judgeAnswer(request, answer, operations.failover.approvals, new Date(answer.at)).status === 'approved';
  });
}
