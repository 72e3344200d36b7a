import { Conflict, messageOf } from '../functions/common/errors.ts';
import { timestamp } from '../functions/common/ids.ts';
import { latestExecution } from '../functions/failover/leadership/execution-name.ts';
import { Epoch, type FailoverPlan } from '../functions/failover/models.ts';
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

/** Looks for questions every few seconds, and answers each as the scenario says; beyond it, a person who may agrees. */
function answerQuestions(world: World): void {
  const random = world.random.fork('people');
  const seen = new Set<string>();
  const answers = [...world.scenario.answers];
  const answer = async (hash: string, requestedBy: string) => {
    const { answer: given, by } = answers.shift() ?? { answer: 'approved' as const, by: 'somebody' as const };
    const who = by === 'a-stranger' ? 'mallory' : by === 'the-requester' ? requestedBy : requestedBy === grace ? ada : grace;
    const process = world.spawn('cli answer', tertiary);
    world.trace('people', `${who}: ${given} ${hash.slice(0, 8)}`);
    await world.ports(process).coordination?.answer({ hash, answer: given, by: who, at: timestamp(process.clock.now()) });
  };
  const look = () => {
    for (const { hash, question } of world.table.requests) {
      if (seen.has(hash)) continue;
      seen.add(hash);
      const after = answers[0]?.after ?? random.int(toMicros(1), toMicros(8));
      world.time.after(after, () => {
        answer(hash, question.plan.requestedBy).catch((error: unknown) => {
          if (!(error instanceof Conflict)) seen.delete(hash); // it did not come through: tries again
        });
      });
    }
    world.time.after(toMicros(2), look);
  };
  world.time.after(toMicros(2), look);
}
