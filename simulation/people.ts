import { Conflict, messageOf } from '../functions/common/errors.ts';
import { timestamp } from '../functions/common/ids.ts';
import { latestExecution } from '../functions/failover/leadership/execution-name.ts';
import { planReplacement } from '../functions/failover/leadership/plan.ts';
import { type ApprovalQuestion, Epoch, type FailoverPlan } from '../functions/failover/models.ts';
import { rebuildReplica } from './faults.ts';
import { candidates, operators, tertiary } from './operations.ts';
import type { HandAct } from './scenario.ts';
import { toMicros } from './virtual-time.ts';
import type { World } from './world.ts';

const [ada, grace] = operators;

/** People at their keyboards, in a Region of their own: they plan changes, answer questions and repair. */
export function startPeople(world: World): void {
  for (const act of world.scenario.acts)
    world.time.at(act.at, () => void perform(world, act).catch((error) => world.trace('people', messageOf(error))));
  answerQuestions(world);
}

async function perform(world: World, act: HandAct): Promise<void> {
  world.trace('people', act.kind);
  switch (act.kind) {
    case 'switch-over':
      return switchOver(world);
    case 'replace':
      return replaceDatabase(world, act);
    case 'rebuild':
      return rebuildReplica(world, act.takes);
    case 'stop-execution':
      for (const execution of world.executions.running) world.executions.abort(execution);
      return;
    case 'hold': {
      const until = timestamp(new Date(world.clockOf(tertiary).date(world.time.now).getTime() + act.for / 1000));
      const hold = { until, by: ada, reason: 'maintenance', at: timestamp(world.clockOf(tertiary).date(world.time.now)) };
      await world.ports(world.spawn('cli hold', tertiary)).coordination?.putHold(hold);
    }
  }
}

/** As the command line does: reads, plans, starts the machine in the Region that takes over. */
async function switchOver(world: World): Promise<void> {
  const process = world.spawn('cli switch-over', tertiary);
  const { coordination, executions } = world.ports(process);
  const record = await coordination?.read();
  const to = candidates.find((region) => region !== record?.holder);
  if (!executions || record?.phase !== 'active' || !to) return;
  const plan: FailoverPlan = {
    kind: 'switchover',
    from: record.holder,
    to,
    epoch: Epoch.parse(record.epoch + 1),
    requestedBy: ada,
    reason: 'a planned change',
    requestedAt: timestamp(process.clock.now()),
    needsApproval: world.operations.failover.mode !== 'automatic' || !record.fenced,
    databases: world.operations.databases.map(({ id }) => ({ databaseId: id, lossBudgetSeconds: 0 })),
  };
  const { status, ref } = await latestExecution(executions, plan);
  if (status === 'free') await executions.start({ ...ref, input: { plan } });
}

/** As `recover-database` does it: restores a copy, makes it fit, plans, and starts the machine in the Region that leads. */
async function replaceDatabase(world: World, { back, which }: Extract<HandAct, { kind: 'replace' }>): Promise<void> {
  const process = world.spawn('cli replace', tertiary);
  const { coordination, executions, replicas } = world.ports(process);
  const operations = world.operationsOf(process);
  const region = (await coordination?.read())?.holder;
  const database = operations.databases[which === 'the second' ? 1 : 0] ?? operations.databases[0];
  if (!coordination || !executions || !replicas || !region || !database) return;
  const copy = world.exchanges.restore(database.id, region, Math.max(0, world.time.now - back));
  if (!copy) return;
  const request = { databaseId: database.id, region, restoredId: copy.restoredId };
  for (let looks = 0; (await replicas.prepareSwap(request)).status !== 'available'; looks++) {
    if (looks === 20) return;
    await process.clock.sleep(1_000);
  }
  const planned = planReplacement({
    ...{ operations, record: await coordination.read(), requestedBy: ada, reason: 'rows are damaged', now: process.clock.now() },
    replacement: { databaseId: database.id, ...copy, verdict: 'every check passed' },
  });
  if (planned.kind === 'refused') return world.trace('people', planned.because);
  if (planned.plan.to !== region) return; // the copy lies where nobody leads any more
  const { status, ref } = await latestExecution(executions, planned.plan);
  if (status === 'free') await executions.start({ ...ref, input: { plan: planned.plan } });
}

/** Whoever says that a database which is to be replaced is off has switched it off; given back, it is switched on again. */
function switchOff(world: World, { replacement, to, epoch }: FailoverPlan): void {
  const damaged = replacement && world.server(replacement.databaseId, to);
  if (!damaged || world.table.record?.epoch !== epoch || world.table.record.phase !== 'claimed') return;
  damaged.isOff = true;
  damaged.stop();
  const look = () => {
    const { record } = world.table;
    const isNamed = world.server(damaged.databaseId, to) === damaged;
    if (!isNamed) return;
    if (record && record.epoch > epoch) {
      damaged.isOff = false;
      if (world.network.isUp(damaged.region)) damaged.start();
    } else world.time.after(toMicros(3), look);
  };
  world.time.after(toMicros(3), look);
}

/** Looks for questions every few seconds, and answers each as the scenario says; beyond it, a person who may agrees. */
function answerQuestions(world: World): void {
  const random = world.random.fork('people');
  const seen = new Set<string>();
  const answers = [...world.scenario.answers];
  const answer = async (hash: string, { question, plan }: ApprovalQuestion) => {
    const { requestedBy } = plan;
    const { answer: given, by } = answers.shift() ?? { answer: 'approved' as const, by: 'somebody' as const };
    const who = by === 'a-stranger' ? 'mallory' : by === 'the-requester' ? requestedBy : requestedBy === grace ? ada : grace;
    const process = world.spawn('cli answer', tertiary);
    world.trace('people', `${who}: ${given} ${hash.slice(0, 8)}`);
    if (question === 'old-primary-is-off' && given === 'approved' && plan.kind === 'replace') switchOff(world, plan);
    await world.ports(process).coordination?.answer({ hash, answer: given, by: who, at: timestamp(process.clock.now()) });
  };
  const look = () => {
    for (const { hash, question } of world.table.requests) {
      if (seen.has(hash)) continue;
      seen.add(hash);
      const after = answers[0]?.after ?? random.int(toMicros(1), toMicros(8));
      world.time.after(after, () => {
        answer(hash, question).catch((error: unknown) => {
          if (!(error instanceof Conflict)) seen.delete(hash); // it did not come through: tries again
        });
      });
    }
    world.time.after(toMicros(2), look);
  };
  world.time.after(toMicros(2), look);
}
