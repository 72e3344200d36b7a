import { describe, expect, test } from 'vitest';
import { timestamp } from '../../functions/common/ids.ts';
import type { CoordinationRecord } from '../../functions/failover/models.ts';
import { led, operations, planned, primary, standby } from '../failover/support.ts';
import { type CliWorldSettings, cliWorld } from '../support/cli.ts';

/** A Saturday at 12:00 UTC: 07:00 in New York, and the window of the test deployment closed at 06:00. */
async function world(record: CoordinationRecord = led(), settings: CliWorldSettings = {}) {
  const made = cliWorld({ operations, ...settings });
  await made.ports.coordination.create(record);
  const { executions } = made.ports;
  const { describe: asStarted } = executions;
  const end = (status: 'succeeded' | 'failed') => {
    executions.describe = async (ref) => ((await asStarted(ref)) ? { status } : undefined);
  };
  return { ...made, end };
}

describe('drill', () => {
  test('outside of a change window is refused, and says how it could be run', async () => {
    const { run, ports } = await world();
    const { stderr, exitCode } = await run('drill', '--yes');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('no change window is open');
    expect(stderr).toContain('--outside-windows');
    expect(ports.executions.started).toEqual([]);
  });

  test('inside one it starts in the Region that would take over, and ends when the window closes', async () => {
    const { run, ports, clock, end } = await world();
    clock.advance(6 * 86_400 + 20 * 3_600); // Saturday 08:00 UTC, an hour into the window
    end('succeeded');
    const { stdout, exitCode } = await run('drill', '--yes');
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 });
    expect(stdout).toContain('The rehearsal passed');
    expect(ports.executions.started).toMatchObject([
      {
        region: standby,
        machine: 'failover-rehearsal',
        name: 'rehearsal-20261128t080000z',
        input: { request: { leader: primary, epoch: led().epoch, requestedBy: 'alice', windowClosesAt: '2026-11-28T11:00:00.000Z' } },
      },
    ]);
    const [intent] = await ports.auditLog.recent(new Date(0), 10);
    expect(intent).toMatchObject({ action: 'start-rehearsal', actor: 'cli/alice' });
  });

  test('that does not pass exits with 1 and names the report', async () => {
    const { run, end } = await world();
    end('failed');
    const { stdout, exitCode } = await run('drill', '--outside-windows', '--yes');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('The rehearsal did not pass');
    expect(stdout).toContain('drills/rehearsal-20261121t120000z.html');
  });

  test('shows what happens and does nothing without a yes', async () => {
    const { run, ports } = await world(led(), { isTTY: true });
    const { stderr, exitCode } = await run('drill', '--full', '--outside-windows');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('somebody else must approve');
    expect(stderr).toContain('Nothing was done.');
    expect(ports.executions.started).toEqual([]);
  });

  test('--full starts the full test', async () => {
    const { run, ports, end } = await world();
    end('succeeded');
    expect((await run('drill', '--full', '--outside-windows', '--yes')).exitCode).toBe(0);
    expect(ports.executions.started).toMatchObject([
      { region: standby, machine: 'failover-full-test', name: 'full-test-20261121t120000z' },
    ]);
  });

  test('while the lead is being moved is refused', async () => {
    const plan = planned();
    const { run, ports } = await world({
      ...led(),
      epoch: plan.epoch,
      phase: 'claimed',
      holder: plan.to,
      plan,
      changedAt: timestamp(new Date(0)),
    });
    expect((await run('drill', '--outside-windows', '--yes')).stderr).toContain('this is no time for a drill');
    expect(ports.executions.started).toEqual([]);
  });
});
