import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { minutes } from '../../functions/common/duration.ts';
import { Conflict, InvalidInput, ServiceUnavailable } from '../../functions/common/errors.ts';
import { timestamp } from '../../functions/common/ids.ts';
import { daily } from '../../functions/common/schedule.ts';
import { type AnyTask, defineStep, defineTask } from '../../functions/common/task.ts';
import { runTask } from '../../functions/handlers/run-operation.ts';
import { led } from '../failover/support.ts';
import { memoryWorld } from '../support/host.ts';
import { home, standby } from '../support/recovery-points.ts';

const due = new Date('2026-11-21T12:00:00.000Z');

/** A task that does what the test says and counts how often it ran. */
function countingTask(work: (count: number) => Promise<unknown> = async (count) => count, runsIn: AnyTask['runsIn'] = 'active') {
  const inputs: unknown[] = [];
  const task = defineTask({
    name: 'count-runs',
    summary: 'Counts its runs.',
    schedule: daily('02:00'),
    runsIn,
    timeout: minutes(5),
    needs: ['recovery-points:read'],
    input: z.strictObject({ say: z.string().default('nothing') }),
    async run(input) {
      inputs.push(input);
      return work(inputs.length);
    },
  });
  return { task, inputs };
}

const lastSuccess = (world: ReturnType<typeof memoryWorld>) => world.ports.ledger.lastSuccess('count-runs', '');
const succeeded = (world: ReturnType<typeof memoryWorld>) => world.ports.metrics.latest('TaskSucceeded', { Task: 'count-runs' });

describe('a task', () => {
  it('runs once however many triggers of one occurrence come', async () => {
    const world = memoryWorld();
    const { task, inputs } = countingTask();
    expect(await world.run(task, { scheduledAt: due })).toEqual({ ran: true, result: 1 });
    world.clock.advance(7 * 86_400);
    expect(await world.run(task, { scheduledAt: due })).toEqual({ ran: false });
    expect(inputs).toHaveLength(1);
    expect((await lastSuccess(world))?.scheduledAt).toBe(timestamp(due));
    expect(succeeded(world)).toBe(1);
  });

  it('runs for each of its schedules and each time that it is due', async () => {
    const world = memoryWorld();
    const { task, inputs } = countingTask();
    await world.run(task, { scheduledAt: due, key: 'hms' });
    await world.run(task, { scheduledAt: due, key: 'billing' });
    await world.run(task, { scheduledAt: new Date(due.getTime() + 1000), key: 'hms' });
    expect(inputs).toHaveLength(3);
  });

  it('of every Region runs in each of them, whoever claims first', async () => {
    const world = memoryWorld();
    const { task, inputs } = countingTask(async (count) => count, 'every');
    expect(await world.run(task, { scheduledAt: due })).toEqual({ ran: true, result: 1 });
    expect(await world.run(task, { scheduledAt: due }, { region: standby })).toEqual({ ran: true, result: 2 });
    expect(await world.run(task, { scheduledAt: due }, { region: standby })).toEqual({ ran: false });
    expect(inputs).toHaveLength(2);
  });

  it('is not started again while it runs, and is taken over when its claim has grown stale', async () => {
    const world = memoryWorld();
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const { task, inputs } = countingTask(async (count) => {
      begun.resolve();
      return count === 1 ? gate.promise : count;
    });
    const first = world.run(task, { scheduledAt: due });
    await begun.promise;
    world.clock.advance(task.timeout - 1);
    expect(await world.run(task, { scheduledAt: due })).toEqual({ ran: false });
    world.clock.advance(1);
    expect(await world.run(task, { scheduledAt: due })).toEqual({ ran: true, result: 2 });
    gate.reject(new ServiceUnavailable('the first attempt was cut off'));
    await expect(first).rejects.toThrow('cut off');
    // What the second attempt achieved stands.
    expect((await lastSuccess(world))?.attempt).toBe(2);
    expect(inputs).toHaveLength(2);
  });

  it('fails for all to see, and may be tried again at once', async () => {
    const world = memoryWorld();
    const { task } = countingTask(async (count) => {
      if (count === 1) throw new ServiceUnavailable('the database service is throttling');
      return count;
    });
    await expect(world.run(task, { scheduledAt: due })).rejects.toThrow('throttling');
    expect(succeeded(world)).toBe(0);
    expect(await lastSuccess(world)).toBeUndefined();
    expect(await world.run(task, { scheduledAt: due })).toEqual({ ran: true, result: 2 });
    expect(succeeded(world)).toBe(1);
  });

  it('shows its own error when the ledger is down as well', async () => {
    const world = memoryWorld();
    const { task } = countingTask(async () => {
      throw new ServiceUnavailable('the database service is throttling');
    });
    const ledger = { ...world.ports.ledger, finish: () => Promise.reject(new ServiceUnavailable('the ledger is down')) };
    await expect(world.run(task, { scheduledAt: due }, { ports: { ...world.ports, ledger } })).rejects.toThrow('throttling');
  });

  it('does not count as failed when only its metric cannot be written', async () => {
    const world = memoryWorld();
    const { task, inputs } = countingTask();
    const metrics = { ...world.ports.metrics, put: () => Promise.reject(new ServiceUnavailable('no metrics')) };
    await expect(world.run(task, { scheduledAt: due }, { ports: { ...world.ports, metrics } })).rejects.toThrow('no metrics');
    expect(await world.run(task, { scheduledAt: due })).toEqual({ ran: false });
    expect(inputs).toHaveLength(1);
  });

  it('does nothing in the standby Region, and claims nothing there', async () => {
    const world = memoryWorld();
    const { task, inputs } = countingTask();
    expect(await world.run(task, { scheduledAt: due }, { region: standby })).toEqual({ ran: false });
    expect(succeeded(world)).toBe(1); // silence would ring there
    expect(await world.run(task, { scheduledAt: due }, { region: home })).toEqual({ ran: true, result: 1 });
    expect(inputs).toHaveLength(1);
  });

  it('runs where leadership is: in the standby Region after a failover, and not in the old primary', async () => {
    const world = memoryWorld();
    await world.ports.coordination.create(led({ holder: standby, version: 0 }));
    const { task, inputs } = countingTask();
    expect(await world.run(task, { scheduledAt: due }, { region: home })).toEqual({ ran: false });
    expect(await world.run(task, { scheduledAt: due }, { region: standby })).toEqual({ ran: true, result: 1 });
    expect(inputs).toHaveLength(1);
  });

  it('is tried again by its trigger when nobody can tell where leadership is, and is not claimed', async () => {
    const world = memoryWorld();
    const { task } = countingTask();
    world.ports.coordination.setAvailable(false);
    await expect(world.run(task, { scheduledAt: due })).rejects.toMatchObject({ name: 'ServiceUnavailable' });
    world.ports.coordination.setAvailable(true);
    expect(await world.run(task, { scheduledAt: due })).toEqual({ ran: true, result: 1 });
  });

  it('needs the table that says so, whatever else it needs', () => {
    expect(countingTask().task.needs).toEqual(['recovery-points:read', 'coordination:read']);
    expect(countingTask(undefined, 'every').task.needs).toEqual(['recovery-points:read']);
  });

  it('runs in the standby Region too when it is one of every Region', async () => {
    const world = memoryWorld();
    const { task } = countingTask(undefined, 'every');
    expect(await world.run(task, { scheduledAt: due }, { region: standby })).toEqual({ ran: true, result: 1 });
  });

  it.each([
    ['nothing', undefined, 'object'],
    ['a time that is none', { scheduledAt: 'yesterday' }, 'scheduledAt'],
    ['a field that it does not know', { scheduledAt: due.toISOString(), database: 'hms' }, 'database'],
  ])('refuses an event with %s, and says where it is wrong', async (_, event, named) => {
    const world = memoryWorld();
    const { task, inputs } = countingTask();
    const refused = expect(runTask(task, event, world.hostAt({}), due)).rejects;
    await refused.toThrow(InvalidInput);
    await expect(runTask(task, event, world.hostAt({}), due)).rejects.toThrow(/the event of task count-runs/);
    await expect(runTask(task, event, world.hostAt({}), due)).rejects.toThrow(named);
    expect(inputs).toEqual([]);
  });

  it('refuses an input of the wrong shape without repeating it, and writes the failure down', async () => {
    const world = memoryWorld();
    const { task } = countingTask();
    const run = world.run(task, { scheduledAt: due, input: { say: 4711 } });
    await expect(run).rejects.toThrow(/the input of count-runs.*say/s);
    await expect(run).rejects.not.toThrow('4711');
    expect(succeeded(world)).toBe(0);
  });

  it('says which port its host did not load', async () => {
    const world = memoryWorld();
    const { recoveryPoints: _, ...others } = world.ports;
    await expect(world.run(countingTask().task, { scheduledAt: due }, { ports: others })).rejects.toThrow('did not load: recoveryPoints');
  });
});

describe('a step', () => {
  const double = defineStep({
    name: 'double',
    summary: 'Doubles a number.',
    needs: [],
    input: z.strictObject({ number: z.int() }),
    async run({ number }) {
      if (number < 0) throw new Conflict('negative');
      return { number: 2 * number };
    },
  });

  it('takes the record and returns it, as often as it is asked', async () => {
    const world = memoryWorld();
    expect(await world.step(double, { number: 2 })).toEqual({ number: 4 });
    expect(await world.step(double, { number: 2 }, { region: standby })).toEqual({ number: 4 });
  });

  it('throws what the machine matches on', async () => {
    const world = memoryWorld();
    await expect(world.step(double, { number: -1 })).rejects.toMatchObject({ name: 'Conflict', retryable: true });
    await expect(world.step(double, { count: 1 })).rejects.toMatchObject({ name: 'InvalidInput', retryable: false });
  });
});
