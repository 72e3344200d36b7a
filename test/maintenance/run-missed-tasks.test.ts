import { describe, expect, it } from 'vitest';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { timestamp } from '../../functions/common/ids.ts';
import { latestOccurrence } from '../../functions/common/schedule.ts';
import { ledgerKey } from '../../functions/maintenance/ledger-key.ts';
import type { Invocation } from '../../functions/memory/task-invoker.ts';
import { taskNamed, tasks } from '../../functions/tasks.ts';
import { memoryWorld } from '../support/host.ts';
import { testOperations } from '../support/operations.ts';

const runMissedTasks = taskNamed('run-missed-tasks');
/** On the March Sunday of New York 02:00 does not exist: it is 03:00 EDT then, 07:00 UTC. EventBridge skips the 02:00 schedule. */
const skipped = new Date('2027-03-14T07:00:00.000Z');
const nameOf = ({ task, key }: Pick<Invocation, 'task' | 'key'>) => (key === '' ? task : `${task} ${key}`);
const catchable = tasks.filter(({ catchUp }) => catchUp);

/** A deployment in which every scheduled run up to `until` succeeded, and where what is invoked is run as `invoker` says. */
async function settledWorld(until: Date, invoker?: (invocation: Invocation) => Promise<unknown>) {
  const world = memoryWorld({ start: until.toISOString(), ...(invoker ? { invoker } : {}) });
  await succeedAll(world);
  return world;
}

/** Marks the last occurrence of every catchable schedule as having run. */
async function succeedAll({ ports, operations, clock }: ReturnType<typeof memoryWorld>): Promise<void> {
  for (const task of catchable) {
    for (const { key, schedule } of task.schedules(operations)) {
      const last = latestOccurrence(schedule, operations.timeZone, clock.now());
      if (!last) continue;
      const run = { task: task.name, key: ledgerKey(task, key, operations.regions.primary), scheduledAt: timestamp(last) };
      await ports.ledger.claim(run, clock.now(), task.timeout);
      await ports.ledger.finish(run, clock.now());
    }
  }
}

const minutesAfter = (count: number) => new Date(skipped.getTime() + count * 60_000);

describe('runs that were missed', () => {
  it('has nothing to do where everything ran', async () => {
    const world = await settledWorld(minutesAfter(-30));
    expect(await world.pass(runMissedTasks)).toMatchObject({ result: { caughtUp: [] } });
    expect(world.ports.taskInvoker.invoked).toEqual([]);
  });

  it('takes the backup of the March Sunday, once, as if its schedule had', async () => {
    const world = await settledWorld(minutesAfter(-30));
    world.clock.advance(30 * 60 + 11 * 60);
    await world.pass(runMissedTasks);
    const backups = world.ports.taskInvoker.invoked.filter(({ key }) => key === 'hms/daily');
    expect(backups).toEqual([
      { task: 'backup-database', key: 'hms/daily', input: { databaseId: 'hms', kind: 'daily' }, scheduledAt: skipped },
    ]);
  });

  it('leaves the retries of the schedule itself their ten minutes', async () => {
    const world = await settledWorld(minutesAfter(-30));
    world.clock.advance(30 * 60 + 9 * 60);
    await world.pass(runMissedTasks);
    expect(world.ports.taskInvoker.invoked).toEqual([]);
  });

  it('runs nothing twice: what it started counts from the moment that it succeeds', async () => {
    const world = await settledWorld(minutesAfter(-30));
    world.clock.advance(41 * 60);
    await world.pass(runMissedTasks);
    const first = world.ports.taskInvoker.invoked.length;
    expect(first).toBeGreaterThan(0);
    await succeedAll(world);
    for (let passes = 0; passes < 4; passes++) await world.pass(runMissedTasks);
    expect(world.ports.taskInvoker.invoked).toHaveLength(first);
  });

  it('asks again while a run is under way, and the claim lets it run once', async () => {
    const runs: string[] = [];
    const world = await settledWorld(minutesAfter(-30), async ({ task, key, scheduledAt }) => {
      if (task !== 'lock-recovery-points') return;
      const { ran } = await world.run(taskNamed(task), { key, scheduledAt });
      if (ran) runs.push(scheduledAt.toISOString());
    });
    world.clock.advance(2 * 3600); // 05:00 EDT, an hour after the simulated lock was due
    await world.pass(runMissedTasks);
    await world.pass(runMissedTasks);
    expect(runs).toEqual(['2027-03-14T08:00:00.000Z']);
  });

  it('of a deployment that is new are those of the last day, so that it has a first backup within minutes', async () => {
    const world = memoryWorld({ start: '2026-11-18T17:30:00Z' }); // a Wednesday, 12:30 in New York
    await world.pass(runMissedTasks);
    expect(world.ports.taskInvoker.invoked.map(nameOf).sort()).toEqual([
      'backup-audit-log-table',
      'backup-database billing/daily',
      'backup-database hms/daily',
      'backup-database hms/six-hourly',
      'backup-state-tables',
      'expire-recovery-points',
      'lock-recovery-points',
      'sweep-audit-tiles',
      'test-paging',
      'verify-audit-log',
    ]);
    expect(world.ports.taskInvoker.invoked.every(({ scheduledAt }) => scheduledAt <= world.clock.now())).toBe(true);
  });

  it('are the last occurrence of each schedule only: three missed six-hourly backups are one', async () => {
    const world = await settledWorld(new Date('2026-11-18T06:00:00Z'));
    world.clock.advance(86_400);
    await world.pass(runMissedTasks);
    const sixHourly = world.ports.taskInvoker.invoked.filter(({ key }) => key === 'hms/six-hourly');
    expect(sixHourly.map(({ scheduledAt }) => scheduledAt.toISOString())).toEqual(['2026-11-19T01:00:00.000Z']); // 20:00 EST
  });

  it('that cannot be started hold up no others, and are reported', async () => {
    const world = memoryWorld({
      start: '2026-11-18T17:30:00Z',
      invoker: async ({ key }) => {
        if (key === 'hms/daily') throw new ServiceUnavailable('throttled');
      },
    });
    await expect(world.pass(runMissedTasks)).rejects.toThrow('backup-database hms/daily: throttled');
    expect(world.ports.taskInvoker.invoked.map(nameOf)).toContain('backup-database billing/daily');
  });

  it('count as overdue once catching up has failed for two hours', async () => {
    const world = await settledWorld(minutesAfter(-30), async () => Promise.reject(new ServiceUnavailable('throttled')));
    const overdue = () => world.ports.metrics.latest('RunsOverdue', { Region: world.operations.regions.primary });
    world.clock.advance(41 * 60);
    await expect(world.pass(runMissedTasks)).rejects.toThrow('throttled');
    expect(overdue()).toBe(0);
    world.clock.advance(2 * 3600); // the schedules of 02:00, 03:00 and later are due by now, those of the first hour overdue
    await expect(world.pass(runMissedTasks)).rejects.toThrow('throttled');
    expect(overdue()).toBeGreaterThan(0);
  });

  describe('where another Region leads', () => {
    const { standby, tertiary } = testOperations().regions;
    const ownTasks = ['backup-audit-log-table', 'sweep-audit-tiles', 'test-paging', 'verify-audit-log'];

    it.each([standby, tertiary])('are those that %s runs by itself', async (region) => {
      const world = memoryWorld({ start: '2026-11-18T17:30:00Z' });
      await world.pass(runMissedTasks, { region });
      expect(world.ports.taskInvoker.invoked.map(nameOf).sort()).toEqual(ownTasks);
      expect(world.ports.metrics.latest('RunsOverdue', { Region: region })).toBe(0);
    });

    it('are those too where nobody can tell who leads, which is told', async () => {
      const world = memoryWorld({ start: '2026-11-18T17:30:00Z' });
      world.ports.coordination.setAvailable(false);
      await expect(world.pass(runMissedTasks, { region: standby })).rejects.toThrow(
        'tasks of the active Region: the coordination table does not answer',
      );
      expect(world.ports.taskInvoker.invoked.map(nameOf).sort()).toEqual(ownTasks);
      // The tertiary can never lead: it asks nobody.
      expect(await world.pass(runMissedTasks, { region: tertiary })).toMatchObject({ ran: true });
    });

    it('are caught up once for each Region, not once for all', async () => {
      const world = memoryWorld({
        start: '2026-11-18T17:30:00Z',
        invoker: async ({ task, key, scheduledAt }) => {
          if (ownTasks.includes(task))
            await world.ports.ledger.claim(
              { task, key: ledgerKey(taskNamed(task), key, standby), scheduledAt: timestamp(scheduledAt) },
              world.clock.now(),
              60,
            );
        },
      });
      await world.pass(runMissedTasks, { region: standby });
      const runs = ownTasks.map((task) => world.ports.taskInvoker.invoked.find((each) => each.task === task));
      for (const run of runs) {
        if (!run) throw new TypeError('each of them was started');
        const done = { task: run.task, key: ledgerKey(taskNamed(run.task), run.key, standby), scheduledAt: timestamp(run.scheduledAt) };
        await world.ports.ledger.finish(done, world.clock.now());
      }
      const before = world.ports.taskInvoker.invoked.length;
      await world.pass(runMissedTasks, { region: standby });
      expect(world.ports.taskInvoker.invoked).toHaveLength(before);
      await world.pass(runMissedTasks, { region: tertiary });
      expect(world.ports.taskInvoker.invoked.slice(before).map(nameOf).sort()).toEqual(ownTasks);
    });
  });

  it('are looked for by a task that looks after itself', () => {
    expect(catchable.map(({ name }) => name)).not.toContain('run-missed-tasks');
    expect(tasks.filter(({ name }) => name === 'run-missed-tasks')).toHaveLength(1);
  });
});
