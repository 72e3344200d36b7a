import { describe, expect, test } from 'vitest';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import type { CoordinationRecord } from '../../functions/failover/models.ts';
import { at, databaseIds, epoch, led, operations, planned, primary, standby } from '../failover/support.ts';
import { cliWorld } from '../support/cli.ts';

const reason = ['--reason', 'a key of ours was found outside'] as const;
const breachId = 'breach-20261121t120000z';

async function world(record: CoordinationRecord | undefined = led(), options: Parameters<typeof cliWorld>[0] = {}) {
  const made = cliWorld({ operations, ...options });
  if (record) await made.ports.coordination.create(record);
  const { executions } = made.ports;
  const { describe: asStarted } = executions;
  const end = (status: 'succeeded' | 'failed' | 'running') => {
    executions.describe = async (ref) => ((await asStarted(ref)) ? { status } : undefined);
  };
  return { ...made, end };
}

describe('contain', () => {
  test('starts the machine where the live databases are, with what was said and what was not', async () => {
    const { run, ports, end } = await world();
    end('succeeded');
    const { stdout, exitCode } = await run('contain', ...reason, '--since', '2026-11-21T03:00:00-05:00', '--yes');
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 });
    expect(stdout).toContain(`breaches/${breachId}/report.html in the evidence bucket of ${primary}`);
    expect(ports.executions.started).toEqual([
      {
        ...{ region: primary, machine: 'contain-breach', name: breachId },
        input: {
          request: {
            ...{ breachId, region: primary, epoch: 7, requestedBy: 'alice', reason: 'a key of ours was found outside' },
            ...{ declaredAt: '2026-11-21T12:00:00.000Z', since: '2026-11-21T08:00:00.000Z' },
          },
        },
      },
    ]);
    const events = await ports.auditLog.recent(new Date(0), 10);
    expect(events.map(({ action, phase, actor }) => `${action} ${phase} ${actor}`).sort()).toEqual([
      'declare-breach intent cli/alice',
      'declare-breach outcome cli/alice',
    ]);
  });

  test('shows what stops, what is kept, and who must be told until when; and does nothing without a yes', async () => {
    const { run, ports } = await world(led(), { isTTY: true });
    const { stderr, exitCode } = await run('contain', ...reason);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('THE APPLICATION STOPS');
    expect(stderr).toContain(`in ${primary} and ${standby}`);
    expect(stderr).toContain('from 2026-11-20T12:00:00.000Z on');
    expect(stderr).toContain('NOT locked: vaultLock.mode is not compliance');
    expect(stderr).toContain('2026-11-24T12:00:00.000Z (GDPR article 33)');
    expect(stderr).toContain('Nothing was done.');
    expect(ports.executions.started).toEqual([]);
  });

  test('--dry-run --json is the plan, and nothing is done or written down', async () => {
    const { run, ports } = await world();
    const { stdout, exitCode } = await run(
      'contain',
      ...reason,
      '--recover-to',
      '2026-11-21T09:00:00Z',
      '--database',
      'hms',
      '--dry-run',
      '--json',
    );
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      request: { breachId, recover: { databaseId: 'hms', until: '2026-11-21T09:00:00.000Z' } },
      ...{ regions: [primary, standby], databases: ['hms', 'billing'], locked: false },
    });
    expect(ports.executions.started).toEqual([]);
    expect(await ports.auditLog.recent(new Date(0), 10)).toEqual([]);
  });

  test('that did not contain it, or lost evidence, exits with 1 and names the runbook', async () => {
    const { run, end } = await world();
    end('failed');
    const { stdout, exitCode } = await run('contain', ...reason, '--yes');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('docs/runbooks/SecurityBreach.md');
  });

  test.each([
    ['no reason', ['contain', '--yes'], 2, 'wants its reason'],
    ['a time without its zone', ['contain', ...reason, '--since', '2026-11-21 03:00', '--yes'], 2, 'no time with a zone'],
    ['a time to come', ['contain', ...reason, '--since', '2026-11-22T00:00:00Z', '--yes'], 1, 'has not come yet'],
    ['a second without its database', ['contain', ...reason, '--recover-to', '2026-11-21T09:00:00Z', '--yes'], 2, 'go together'],
    ['a database without its second', ['contain', ...reason, '--database', 'hms', '--yes'], 2, 'go together'],
    [
      'a database that is none',
      ['contain', ...reason, '--recover-to', '2026-11-21T09:00:00Z', '--database', 'nothing', '--yes'],
      1,
      'there is no database',
    ],
    [
      'a second to come',
      ['contain', ...reason, '--recover-to', '2026-11-22T09:00:00Z', '--database', 'hms', '--yes'],
      1,
      'has not come yet',
    ],
  ])('with %s is refused', async (_, argv, code, says) => {
    const { run, ports } = await world();
    const { stderr, exitCode } = await run(...argv);
    expect({ exitCode, stderr }).toEqual({ exitCode: code, stderr: expect.stringContaining(says) });
    expect(ports.executions.started).toEqual([]);
  });

  test('while the lead is being moved says how to stop that first', async () => {
    const plan = planned();
    const { run } = await world({ ...led(), epoch: plan.epoch, phase: 'claimed', holder: plan.to, plan });
    const { stderr } = await run('contain', ...reason, '--yes');
    expect(stderr).toContain('Stop it first: codeblue failover abort');
  });

  test('while a hold stands goes on: whoever noticed it may have put one', async () => {
    const { run, ports, end } = await world();
    end('succeeded');
    await ports.coordination.putHold({ until: at(3600), by: 'bob', reason: 'incident', at: at(0) });
    expect((await run('contain', ...reason, '--yes')).exitCode).toBe(0);
  });

  test('a second time is refused while the machine is at work, and takes over when that has ended', async () => {
    const { run, ports, end, clock } = await world();
    end('succeeded');
    await run('contain', ...reason, '--yes');
    await ports.coordination.putContainment({ breachId, by: 'alice', since: at(0) });
    clock.advance(60);
    end('running');
    const { stderr } = await run('contain', ...reason, '--yes');
    expect(stderr).toContain(`${breachId} is being contained since`);
    end('failed');
    expect((await run('contain', ...reason, '--dry-run')).stdout).toContain(`instead of ${breachId}`);
  });
});

describe('contain --release', () => {
  /** Contained: shut everywhere, held, and marked. */
  async function contained() {
    const made = await world();
    const { coordination, networkFence } = made.ports;
    await coordination.putContainment({ breachId, by: 'alice', since: at(0) });
    await coordination.putHold({ until: at(86_400), by: breachId, reason: 'a breach is being contained', at: at(0) });
    for (const databaseId of databaseIds) for (const region of [primary, standby]) await networkFence.isolate(databaseId, region);
    const shut = () => [primary, standby].flatMap((region) => databaseIds.filter((id) => networkFence.isIsolated(id, region)));
    return { ...made, shut };
  }

  test('opens the network in every Region, ends the hold and the containment, and each is in the audit log', async () => {
    const { run, ports, shut } = await contained();
    const { stdout, exitCode } = await run('contain', '--release', '--yes');
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 });
    expect(stdout).toContain(`billing in ${standby}: 2 rules are back`);
    expect(shut()).toEqual([]);
    expect(await ports.coordination.hold()).toBeUndefined();
    expect(await ports.coordination.containment()).toBeUndefined();
    const acts = (await ports.auditLog.recent(new Date(0), 50)).filter(({ phase }) => phase === 'outcome').map(({ action }) => action);
    expect(acts.sort()).toEqual(['release-breach', ...Array(4).fill('restore-network')]);
  });

  test('without a yes changes nothing', async () => {
    const { run, shut, ports } = await contained();
    expect((await run('contain', '--release', '--dry-run')).stdout).toContain('new credentials for everything');
    const { exitCode } = await run('contain', '--release');
    expect(exitCode).toBe(2);
    expect(shut()).toHaveLength(4);
    expect(await ports.coordination.containment()).toBeDefined();
  });

  test('that cannot open one says which, and can be done again', async () => {
    const { run, ports, shut } = await contained();
    ports.networkFence.failNext('restore', new ServiceUnavailable('no route to EC2'));
    const first = await run('contain', '--release', '--yes');
    expect(first.exitCode).toBe(1);
    expect(first.stdout).toContain(`hms in ${primary} is still shut: no route to EC2`);
    expect(shut()).toEqual(['hms']);
    expect(await ports.coordination.containment()).toBeDefined();
    expect((await ports.coordination.hold())?.by).toBe(breachId);
    expect((await run('contain', '--release', '--yes')).exitCode).toBe(0);
    expect(shut()).toEqual([]);
    expect(await ports.coordination.containment()).toBeUndefined();
  });

  test('is what failover status sends people to', async () => {
    const { run } = await contained();
    const { stdout, exitCode } = await run('failover', 'status');
    expect(exitCode).toBe(1);
    expect(stdout).toContain(`${breachId}: the application is shut out since ${at(0)}, until codeblue contain --release`);
  });

  test('leaves the hold of somebody else where it is', async () => {
    const { run, ports } = await contained();
    await ports.coordination.putHold({ until: at(3600), by: 'bob', reason: 'storage', at: at(0) });
    await run('contain', '--release', '--yes');
    expect((await ports.coordination.hold())?.by).toBe('bob');
  });

  test('where nothing is contained is refused', async () => {
    const { run } = await world();
    expect((await run('contain', '--release', '--yes')).stderr).toContain('no breach is being contained');
  });
});

test('a deployment that never had a guardian, and one without failover, cannot be contained by the machine', async () => {
  const { run } = cliWorld({ operations });
  expect((await run('contain', ...reason, '--yes')).stderr).toContain('Without the machine');
  const off = cliWorld({ operations: { ...operations, failover: { ...operations.failover, mode: 'off' } } });
  await off.ports.coordination.create(led({ epoch: epoch(1) }));
  expect((await off.run('contain', ...reason, '--yes')).stderr).toContain('failover.mode is off');
});
