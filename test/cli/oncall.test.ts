import { describe, expect, test } from 'vitest';
import { minutes } from '../../functions/common/duration.ts';
import { Region } from '../../functions/common/ids.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { testId } from '../../functions/incidents/pager-audit/test-paging.ts';
import { policy } from '../incidents/incident/support.ts';
import { aPage } from '../support/incidents.ts';
import { testOperations } from '../support/operations.ts';
import { incidentWorld } from './incident-world.ts';

const defaults = testOperations();
const weekly = { from: '2026-11-02', handOver: { everyDays: 7, at: '09:00' } };
const operations: Operations = {
  ...defaults,
  incidents: {
    ...{ ...policy, mode: 'on' },
    schedules: [{ id: 'primary', timeZone: 'America/New_York', layers: [{ people: ['alice', 'bob'], ...weekly }] }],
    policies: [{ id: 'default', steps: [{ notify: [{ schedule: 'primary' }], wait: minutes(5) }], repeats: 0, acknowledgements: {} }],
  },
};
const world = () => incidentWorld({ operations });

describe('oncall show', () => {
  test('who is on duty now and who comes next, in the zone of the schedule', async () => {
    const { run } = await world();
    const { stdout, exitCode } = await run('oncall', 'show');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/primary\s+alice\s+now\s+2026-11-23 09:00 EST/);
    expect(stdout).toMatch(/\s+bob\s+2026-11-23 09:00 EST/);
  });

  test('nobody on duty is exit code 1', async () => {
    const [schedule] = operations.incidents.schedules;
    const later = schedule && { ...schedule, layers: [{ people: ['alice'], ...weekly, from: '2027-01-04' }] };
    const { run } = await incidentWorld({
      operations: { ...operations, incidents: { ...operations.incidents, schedules: later ? [later] : [] } },
    });
    expect(await run('oncall', 'show')).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('NOBODY') });
  });
});

describe('oncall override', () => {
  test('takes the turn until it ends or is ended, in the audit log', async () => {
    const { run, clock, acts } = await world();
    const { overrideId } = JSON.parse(
      (await run('oncall', 'override', 'primary', '--person', 'carol', '--for', '8h', '--yes', '--json')).stdout,
    );
    expect((await run('oncall', 'show')).stdout).toMatch(/primary\s+carol\s+now\s+2026-11-21 15:00 EST/);
    clock.advance(3600);
    expect((await run('oncall', 'override', '--end', overrideId)).exitCode).toBe(0);
    expect((await run('oncall', 'show')).stdout).toMatch(/primary\s+alice\s+now/);
    expect(await acts()).toContain('override-on-call outcome success');
  });

  test.each([
    ['an unknown schedule', ['secondary', '--person', 'bob', '--for', '8h'], 1, 'there is no schedule "secondary"'],
    ['an unknown person', ['primary', '--person', 'mallory', '--for', '8h'], 1, 'there is no person "mallory"'],
    ['an end that has passed', ['primary', '--person', 'bob', '--until', '2026-11-21T11:00:00Z'], 1, 'has passed'],
    ['a quarter of a year', ['primary', '--person', 'bob', '--for', '90d'], 1, 'Change the rotation'],
    ['nobody', ['primary', '--for', '8h'], 2, 'who takes whose duty'],
    ['no end', ['primary', '--person', 'bob'], 2, 'until when'],
  ])('with %s is refused', async (_, argv, code, says) => {
    const { run, ports } = await world();
    expect(await run('oncall', 'override', ...argv, '--yes')).toMatchObject({ exitCode: code, stderr: expect.stringContaining(says) });
    expect(await ports.incidents.overrides()).toEqual([]);
  });
});

describe('oncall test', () => {
  const sent = async (status: 'accepted' | 'failed') => {
    const made = await world();
    const { ports, clock } = made;
    const { invoke } = ports.taskInvoker;
    ports.taskInvoker.invoke = async (invocation) => {
      await invoke(invocation);
      const id = testId({ scheduledAt: clock.now(), region: Region.parse('us-east-1') });
      await ports.outbox.add(
        aPage({ id, home: Region.parse('us-east-1') }, '2026-11-21T12:00:00Z', { person: 'alice', reason: 'synthetic', status }),
      );
    };
    return made;
  };

  test('has the pages sent that the task sends each day, and shows what became of each', async () => {
    const { run, ports } = await sent('accepted');
    const { stdout, exitCode } = await run('oncall', 'test', '--yes');
    expect({ stdout, exitCode }).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/alice\s+email\s+taken/) });
    expect(ports.taskInvoker.invoked).toMatchObject([{ task: 'test-paging', input: { now: true } }]);
  });

  test('a channel that refuses is exit code 1, and so is one that never answers', async () => {
    const refused = await sent('failed');
    expect((await refused.run('oncall', 'test', '--yes')).exitCode).toBe(1);
    const silent = await world();
    expect(await silent.run('oncall', 'test', '--yes')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('not sent after 5 minutes'),
    });
  });

  test('says who would be paged, and asks', async () => {
    const { run, ports } = await incidentWorld({ operations, isTTY: true });
    expect((await run('oncall', 'test')).stderr).toContain('alice (primary)');
    expect(ports.taskInvoker.invoked).toEqual([]);
  });
});
