import { describe, expect, test } from 'vitest';
import { hours, seconds } from '../../functions/common/duration.ts';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { timestamp } from '../../functions/common/ids.ts';
import { askFor } from '../../functions/failover/approval/approvals.ts';
import type { CoordinationRecord, Finding, Vote } from '../../functions/failover/models.ts';
import { led, operations, planned, primary, standby, tertiary } from '../failover/support.ts';
import { cliWorld } from '../support/cli.ts';

const now = new Date('2026-11-21T12:00:00.000Z');
const secondsAgo = (seconds: number) => timestamp(new Date(now.getTime() - seconds * 1000));

const finding = (change: Partial<Finding> = {}): Finding => ({
  ...{ subject: 'region', status: 'healthy', since: secondsAgo(600), contrary: 0, says: '200 in 31 ms' },
  ...change,
});
const vote = (observer: Vote['observer'], record: CoordinationRecord, findings: readonly Finding[] = [finding()]): Vote => ({
  ...{
    observer,
    at: secondsAgo(2),
    run: secondsAgo(60),
    about: record.holder,
    epoch: record.epoch,
    findings: [...findings],
    positions: [],
  },
  lease: { version: record.version, unchangedSeconds: 1 },
});

/** Renewed a second ago, and unchanged for a day. */
const steady = (change: Partial<CoordinationRecord> = {}): CoordinationRecord => ({
  ...led(),
  leaseUntil: secondsAgo(-19),
  changedAt: secondsAgo(86_400),
  ...change,
});

async function world(record: CoordinationRecord | undefined = steady(), host: Parameters<typeof cliWorld>[0] = {}) {
  const made = cliWorld({ operations, ...host });
  if (record) {
    await made.ports.coordination.create(record);
    const stored = (await made.ports.coordination.read()) ?? record;
    for (const observer of [primary, standby, tertiary]) await made.ports.coordination.castVote(vote(observer, stored));
  }
  return made;
}

describe('failover status', () => {
  test('when all is well says who leads and exits with 0', async () => {
    const { run } = await world();
    const { stdout, exitCode } = await run('failover', 'status');
    expect(stdout).toContain(`✓ hms: ${primary} leads, and nothing speaks against it`);
    expect(stdout).toContain('19 s left; every table is fenced');
    expect(stdout).toContain('3 of 3 see nothing wrong');
    expect(exitCode).toBe(0);
  });

  test('names what a person should look at, and exits with 1', async () => {
    const { run, ports } = await world(steady({ fenced: false, leaseUntil: secondsAgo(40) }));
    await ports.coordination.castVote({ ...vote(tertiary, steady()), at: secondsAgo(300) });
    const { stdout, exitCode } = await run('failover', 'status');
    expect(stdout).toContain('the lease of us-east-1 ran out 40 s ago');
    expect(stdout).toContain('not every table is fenced');
    expect(stdout).toContain('nothing is heard of the observer in eu-west-1');
    expect(exitCode).toBe(1);
  });

  test('before the first guardian says that nothing can be moved', async () => {
    const { run } = cliWorld({ operations });
    const { stdout, exitCode } = await run('failover', 'status');
    expect(stdout).toContain('no guardian has ever renewed a lease');
    expect(exitCode).toBe(1);
  });
});

describe('failover plan', () => {
  test('shows the way, the point of no return and the time against the objectives, and changes nothing', async () => {
    const { run, ports } = await world();
    const { stdout, exitCode } = await run('failover', 'plan');
    expect(stdout).toContain('Failover of the lead from us-east-1 to us-west-2, epoch 8');
    expect(stdout).toContain('POINT OF NO RETURN');
    expect(stdout).toMatch(/database writes again after .*; the objective is/);
    expect(exitCode).toBe(0);
    expect(ports.executions.started).toEqual([]);
  });

  test('to a Region that cannot lead names those that can', async () => {
    const { run } = await world();
    const { stderr, exitCode } = await run('failover', 'plan', '--to', tertiary);
    expect(stderr).toContain('eu-west-1 cannot lead');
    expect(stderr).toContain('us-east-1, us-west-2');
    expect(exitCode).toBe(1);
  });

  test('while somebody holds it says who and why, and how to go on', async () => {
    const { run } = await world();
    await run('failover', 'hold', '--until', '2026-11-21T13:00:00Z', '--reason', 'storage work');
    const { stderr, exitCode } = await run('failover', 'plan');
    expect(stderr).toContain('alice holds it until 2026-11-21T13:00:00.000Z (storage work)');
    expect(stderr).toContain('codeblue failover release');
    expect(exitCode).toBe(1);
  });

  test('without a replica to promote there says so before anybody is asked, and how to get one', async () => {
    const { run, ports } = await world();
    Object.assign(ports.replicas, {
      describe: async () => ({ role: 'primary', status: 'available', says: 'closed', databaseId: 'hms', region: standby }),
    });
    const { stderr, exitCode } = await run('failover', 'plan');
    expect(stderr).toContain('us-west-2 has no replica that could be promoted: hms there is primary (closed)');
    expect(stderr).toContain('codeblue failover back --no-hand-over');
    expect(exitCode).toBe(1);
  });

  test('where the replica cannot be looked at goes on, and says what it does not know', async () => {
    const { run, ports } = await world();
    const describe = () => Promise.reject(new ServiceUnavailable('RDS in us-west-2 does not answer'));
    Object.assign(ports.replicas, { describe });
    const { stdout, exitCode } = await run('failover', 'plan');
    expect(stdout).toMatch(/careful +the replica of .* in us-west-2 could not be looked at: RDS in us-west-2 does not answer/);
    expect(exitCode).toBe(0);
  });

  test('says which objective would not be kept', async () => {
    const never = { ...operations.failover.objectives, criticalServices: seconds(10), full: hours(24) };
    const { run } = await world(steady(), { operations: { ...operations, failover: { ...operations.failover, objectives: never } } });
    const { stdout } = await run('failover', 'plan');
    expect(stdout).toMatch(/critical services answer after .*; the objective is 10 s: NOT KEPT$/m);
    expect(stdout).toMatch(/full strength after .*; the objective is 1 d$/m);
  });

  test('while a change is under way is refused', async () => {
    const plan = planned();
    const { run } = await world(steady({ epoch: plan.epoch, phase: 'claimed', holder: plan.to, plan }));
    const { stderr, exitCode } = await run('failover', 'plan');
    expect(stderr).toContain('one change at a time');
    expect(exitCode).toBe(1);
  });
});

describe('failover start', () => {
  test('shows the plan, asks, and does nothing without a yes', async () => {
    const { run, ports } = await world(steady(), { isTTY: true });
    const { stderr, exitCode } = await run('failover', 'start', '--reason', 'us-east-1 is down');
    expect(stderr).toContain('POINT OF NO RETURN');
    expect(stderr).toContain('Nothing was done.');
    expect(exitCode).toBe(1);
    expect(ports.executions.started).toEqual([]);
  });

  test('where nobody can be asked wants --yes', async () => {
    const { run, ports } = await world();
    expect((await run('failover', 'start', '--reason', 'drill')).exitCode).toBe(2);
    expect(ports.executions.started).toEqual([]);
  });

  test('starts the machine in the Region that shall lead, under the name of the epoch, and tells how it ended', async () => {
    const made = await world();
    const start = made.ports.executions.start.bind(made.ports.executions);
    const inputs: unknown[] = [];
    Object.assign(made.ports.executions, {
      async start(request: Parameters<typeof start>[0]) {
        await start(request);
        inputs.push(request);
      },
      describe: async () => (inputs.length > 0 ? { status: 'failed' as const } : undefined),
    });
    const { stdout, exitCode } = await made.run('failover', 'start', '--planned', '--reason', 'storage work', '--yes');
    expect(inputs).toMatchObject([
      {
        region: standby,
        machine: 'failover',
        name: 'failover-8',
        input: { plan: { kind: 'switchover', requestedBy: 'alice', needsApproval: true } },
      },
    ]);
    expect(stdout).toContain('failover-8 did not succeed: us-east-1 still leads; nothing was changed.');
    expect(exitCode).toBe(1);
  });
});

describe('following a failover', () => {
  test('a reason without words is refused before anything is looked at', async () => {
    const { run, opened } = await world();
    expect((await run('failover', 'start', '--reason', ' ', '--yes')).exitCode).toBe(2);
    expect(opened).toEqual([]);
  });

  test('what was given up for an epoch is tried under the next name; what runs is not started again', async () => {
    const made = await world();
    const names: string[] = [];
    const ended = new Map<string, 'running' | 'failed'>([['failover-8', 'failed']]);
    Object.assign(made.ports.executions, {
      start: async ({ name }: { name: string }) => {
        names.push(name);
        ended.set(name, 'failed');
      },
      describe: async ({ name }: { name: string }) => (ended.has(name) ? { status: ended.get(name) } : undefined),
    });
    const start = () => made.run('failover', 'start', '--reason', 'us-east-1 is down', '--yes');
    expect((await start()).stdout).toContain('failover-8-2 did not succeed');
    ended.set('failover-8-3', 'running');
    const { stderr, exitCode } = await start();
    expect(stderr).toContain('failover-8-3 runs already in us-west-2');
    expect(exitCode).toBe(1);
    expect(names).toEqual(['failover-8-2']);
  });

  test('a table that does not answer for a moment does not end the view', async () => {
    const made = await world();
    const { executions, coordination } = made.ports;
    const read = coordination.read.bind(coordination);
    const looks = { count: 0 };
    const started = { yet: false };
    Object.assign(executions, {
      start: async () => {
        started.yet = true;
      },
      describe: async () => (started.yet ? { status: looks.count > 2 ? 'succeeded' : 'running' } : undefined),
    });
    Object.assign(coordination, {
      read: async () => {
        looks.count++;
        if (looks.count === 2) throw new ServiceUnavailable('the coordination table does not answer');
        return read();
      },
    });
    const { stdout, stderr } = await made.run('failover', 'start', '--reason', 'us-east-1 is down', '--yes');
    expect(stderr).toContain('the coordination table does not answer; failover-8 goes on');
    expect(stdout).toContain('not called for any more');
  });
});

describe('failover approve and reject', () => {
  async function asked(by: string, requestedBy = 'bob') {
    const policy = { ...operations.failover, approvals: { ...operations.failover.approvals, by: ['alice', 'bob'] } };
    const made = await world(steady(), { operations: { ...operations, failover: policy }, host: { principal: async () => by } });
    const question = { question: 'start' as const, plan: { ...planned(), requestedBy }, losses: [] };
    const request = await made.ports.coordination.ask(askFor(question, policy.approvals, now));
    return { ...made, request };
  }

  test('somebody else who is listed approves, and sees all of it first', async () => {
    const { run, ports, request } = await asked('alice');
    const { stdout, stderr, exitCode } = await run('failover', 'approve', request.hash.slice(0, 12), '--yes');
    expect(stderr).toContain('asked for by bob');
    expect(stderr).toContain(request.hash);
    expect(stdout).toContain('approved by alice');
    expect(exitCode).toBe(0);
    expect(await ports.coordination.answerTo(request.hash)).toMatchObject({ answer: 'approved', by: 'alice' });
  });

  test.each([
    ['the requester', 'bob', 'nobody approves their own request'],
    ['somebody who is not listed', 'mallory', 'is not listed'],
  ])('%s is refused, and the question is still open', async (_, by, because) => {
    const { run, ports, request } = await asked(by);
    const { stderr, exitCode } = await run('failover', 'approve', request.hash, '--yes');
    expect(stderr).toContain(because);
    expect(exitCode).toBe(1);
    expect(await ports.coordination.answerTo(request.hash)).toBeUndefined();
  });

  test('after the expiry nothing can be answered', async () => {
    const { run, clock, ports, request } = await asked('alice');
    await clock.sleep((operations.failover.approvals.expireAfter + 1) * 1000);
    const { stderr, exitCode } = await run('failover', 'approve', request.hash, '--yes');
    expect(stderr).toContain('expired');
    expect(exitCode).toBe(1);
    expect(await ports.coordination.answerTo(request.hash)).toBeUndefined();
  });

  test('a hash that names nothing says where to look', async () => {
    const { run } = await asked('alice');
    expect((await run('failover', 'approve', 'deadbeef', '--yes')).stderr).toContain('there is no question deadbeef');
    expect((await run('failover', 'approve', 'xyz', '--yes')).stderr).toContain('first 8 or more hex digits');
  });
});

describe('holds and aborts', () => {
  test('a hold needs a time with its zone, to come, and within a week', async () => {
    const { run, ports } = await world();
    for (const until of ['tomorrow', '2026-11-22T07:30:00', '2026-11-20T07:30:00Z', '2027-11-22T07:30:00Z']) {
      expect((await run('failover', 'hold', '--until', until, '--reason', 'work')).exitCode).toBe(1);
    }
    expect(await ports.coordination.hold()).toBeUndefined();
    expect((await run('failover', 'hold', '--until', '2026-11-21T13:00:00Z', '--reason', 'work')).exitCode).toBe(0);
    expect(await ports.coordination.hold()).toMatchObject({ by: 'alice', reason: 'work', until: '2026-11-21T13:00:00.000Z' });
    expect((await run('failover', 'release')).stdout).toContain('The hold of alice is ended.');
    expect(await ports.coordination.hold()).toBeUndefined();
  });

  test('an abort before the point of no return holds; after it says that it is too late', async () => {
    const plan = planned();
    const claimed = await world(steady({ epoch: plan.epoch, phase: 'claimed', holder: plan.to, plan }));
    expect((await claimed.run('failover', 'abort', '--reason', 'false alarm')).stdout).toContain('gives the lease back');
    expect(await claimed.ports.coordination.hold()).toMatchObject({ reason: 'false alarm' });

    const promoting = await world(steady({ epoch: plan.epoch, phase: 'promoting', holder: plan.to, plan }));
    const late = await promoting.run('failover', 'abort', '--reason', 'false alarm');
    expect(late.stderr).toContain('beyond the point of no return');
    expect(late.exitCode).toBe(1);
    expect(await promoting.ports.coordination.hold()).toBeUndefined();
  });
});

describe('failover back and report', () => {
  test('back asks in the Region that leads; --no-hand-over leaves the lead where it is', async () => {
    const made = await world(steady({ holder: standby }));
    const started: unknown[] = [];
    Object.assign(made.ports.executions, {
      start: async (request: unknown) => void started.push(request),
      describe: async () => ({ status: 'succeeded' as const }),
    });
    const { stdout } = await made.run('failover', 'back', '--reason', 'well again', '--no-hand-over', '--yes');
    expect(started).toMatchObject([
      { region: standby, machine: 'failback', input: { request: { oldRegion: primary, handOver: false, requestedBy: 'alice' } } },
    ]);
    expect(stdout).toContain('us-east-1 is a proven replica of us-west-2');
  });

  test('a report that is not there says which are', async () => {
    const { run } = await world();
    expect((await run('failover', 'report')).stderr).toContain('there is no report of a failover yet');
    expect((await run('failover', 'report', 'seven')).stderr).toContain('is no epoch');
  });
});
