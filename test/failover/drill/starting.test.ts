import { describe, expect, test } from 'vitest';
import { hours, minutes } from '../../../functions/common/duration.ts';
import { silentLogger } from '../../../functions/common/logger.ts';
import { weekly } from '../../../functions/common/schedule.ts';
import { insideWindow } from '../../../functions/failover/drill/change-window.ts';
import { fullFailoverTest } from '../../../functions/failover/drill/full-failover-test.ts';
import { rehearseFailover } from '../../../functions/failover/drill/rehearse-failover.ts';
import { runTask } from '../../../functions/handlers/run-operation.ts';
import { east, failoverWorld, west } from '../../support/failover-world.ts';

const zone = 'America/New_York';
const saturday = { name: 'Saturday night', opens: weekly('sat', '02:00'), lasts: hours(4) };
/** 02:00 to 06:00 in New York is 07:00 to 11:00 UTC in November. */
const at = (time: string) => new Date(`2026-11-14T${time}:00.000Z`);

describe('a change window', () => {
  test.each([
    ['06:59', undefined],
    ['07:00', 'Saturday night'],
    ['10:00', 'Saturday night'],
    ['10:01', undefined],
    ['11:00', undefined],
  ])('at %s, with an hour wanted, is %s', (time, name) => {
    expect(insideWindow([saturday], zone, at(time), minutes(60))?.name).toBe(name);
  });

  test('of several that are open the one that closes last is told', () => {
    const long = { name: 'long', opens: weekly('sat', '01:00'), lasts: hours(8) };
    expect(insideWindow([saturday, long], zone, at('08:00'), minutes(60))).toEqual({ name: 'long', closesAt: at('14:00') });
    expect(insideWindow([long, saturday], zone, at('08:00'), minutes(60))?.name).toBe('long');
  });

  test('that is closing this second is closed', () => {
    expect(insideWindow([saturday], zone, at('11:00'), minutes(0))).toBeUndefined();
  });
});

describe.each([
  [rehearseFailover, 'failover-rehearsal', 'rehearsal-20261114t080000z'],
  [fullFailoverTest, 'failover-full-test', 'full-test-20261114t080000z'],
] as const)('the task %#', (task, machine, name) => {
  async function run(region = west, scheduledAt = at('08:00')) {
    const world = await failoverWorld();
    const { ports, operations, clock } = world;
    const host = { ports, operations, region, clock, log: silentLogger, codeSha256: '0c'.repeat(32) };
    const trigger = () => runTask(task, { scheduledAt: scheduledAt.toISOString() }, host, new Date(clock.now().getTime() + 60_000));
    return { ports, trigger };
  }

  test('starts the machine where the lead would go, once for one occurrence', async () => {
    const { ports, trigger } = await run();
    await trigger();
    await trigger();
    expect(ports.executions.started).toMatchObject([
      { region: west, machine, name, input: { request: { leader: east, requestedBy: 'codeblue' } } },
    ]);
  });

  test('does nothing in the Region that leads', async () => {
    const { ports, trigger } = await run(east);
    expect(await trigger()).toMatchObject({ result: { started: null } });
    expect(ports.executions.started).toEqual([]);
  });

  test('refuses aloud outside of every change window', async () => {
    const { ports, trigger } = await run(west, at('12:00'));
    await expect(trigger()).rejects.toThrow('no change window is open');
    expect(ports.executions.started).toEqual([]);
  });
});
