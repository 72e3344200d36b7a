import { describe, expect, test } from 'vitest';
import { timestamp } from '../../functions/common/ids.ts';
import type { Hold } from '../../functions/failover/models.ts';
import { led, operations, primary } from '../failover/support.ts';
import { type CliWorldSettings, cliWorld } from '../support/cli.ts';

/** The Region leads; the log of the modelled service begins seven days ago and reaches up to five minutes ago. */
async function world(settings: CliWorldSettings = {}) {
  const made = cliWorld({ operations, ...settings });
  await made.ports.coordination.create(led());
  const { executions } = made.ports;
  const { describe: asStarted } = executions;
  const end = (status: 'succeeded' | 'failed') => {
    executions.describe = async (ref) => ((await asStarted(ref)) ? { status } : undefined);
  };
  const recover = (to: string, ...more: string[]) =>
    made.run('recover', '--database', 'hms', '--to', to, '--reason', 'orders were deleted', ...more);
  return { ...made, end, recover };
}

const anHourAgo = '2026-11-21T11:00:00Z';

describe('recover', () => {
  test('--dry-run says what would be restored from what, what is lost and who must approve, and does nothing', async () => {
    const { recover, ports } = await world();
    const { stdout, exitCode } = await recover(anHourAgo, '--dry-run');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/from +snapshot and transaction log; newest proven backup before it: none/);
    expect(stdout).toMatch(/shows +2026-11-21T11:00:00\.000Z/);
    expect(stdout).toMatch(/lost +everything committed after it: 1 h by now/);
    expect(stdout).toMatch(/must approve +one of bob/);
    expect(stdout).not.toMatch(/one of .*alice/);
    expect(stdout).toContain('Nothing was done.');
    expect(ports.executions.started).toEqual([]);
    expect(await ports.auditLog.recent(new Date(0), 10)).toEqual([]);
  });

  test('--dry-run --json has the same for machines', async () => {
    const { recover } = await world();
    const { stdout } = await recover(anHourAgo, '--dry-run', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      request: { recoveryId: 'recovery-hms-20261121t120000z', databaseId: 'hms', region: primary, requestedBy: 'alice' },
      clean: { method: 'transaction-log', restoredTo: '2026-11-21T11:00:00.000Z' },
      lossSeconds: 3600,
    });
  });

  test('starts the machine where the lead is, and names the report', async () => {
    const { recover, ports, end } = await world();
    end('succeeded');
    const { stdout, exitCode } = await recover(anHourAgo, '--yes');
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('recoveries/recovery-hms-20261121t120000z.html'),
    });
    expect(ports.executions.started).toMatchObject([
      {
        region: primary,
        machine: 'recover-database',
        name: 'recovery-hms-20261121t120000z',
        input: { request: { until: '2026-11-21T11:00:00.000Z' } },
      },
    ]);
    const [intent] = await ports.auditLog.recent(new Date(0), 10);
    expect(intent).toMatchObject({ action: 'request-recovery', actor: 'cli/alice' });
  });

  test('that does not end well exits with 1 and names the runbook', async () => {
    const { recover, end } = await world();
    end('failed');
    const { stdout, exitCode } = await recover(anHourAgo, '--yes');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('docs/runbooks/DatabaseCorruption.md');
  });

  test('says that a log which is late is waited for', async () => {
    const { recover } = await world();
    const { stdout } = await recover('2026-11-21T11:58:00Z', '--dry-run');
    expect(stdout).toMatch(/shows +2026-11-21T11:58:00\.000Z/);
    expect(stdout).toContain('180 s before 2026-11-21T11:58:00.000Z: it is waited for');
  });

  test('shows the plan and does nothing without a yes', async () => {
    const { recover, ports } = await world({ isTTY: true });
    const { stderr, exitCode } = await recover(anHourAgo);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('Nothing was done.');
    expect(ports.executions.started).toEqual([]);
  });

  test.each([
    ['a time without a zone', '2026-11-21T11:00:00', 2, 'is no time with a zone'],
    ['a time to come', '2026-11-21T13:00:00Z', 1, 'lies in the future'],
    ['a time before everything that is kept', '2026-10-01T00:00:00Z', 1, 'no proven backup in us-east-1 was complete before'],
  ])('%s is refused', async (_, to, code, says) => {
    const { recover, ports } = await world();
    const { stderr, exitCode } = await recover(to, '--yes');
    expect({ exitCode, stderr }).toEqual({ exitCode: code, stderr: expect.stringContaining(says) });
    expect(ports.executions.started).toEqual([]);
  });

  test('is refused for Aurora, whose global clusters cannot be exchanged', async () => {
    const { run } = await world();
    const { stderr, exitCode } = await run('recover', '--database', 'billing', '--to', anHourAgo, '--reason', 'x', '--yes');
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('Aurora global database') });
  });

  test('is refused while somebody holds everything', async () => {
    const { recover, ports } = await world();
    const hold: Hold = {
      until: timestamp(new Date('2026-11-21T13:00:00Z')),
      by: 'bob',
      reason: 'maintenance',
      at: timestamp(new Date('2026-11-21T11:00:00Z')),
    };
    await ports.coordination.putHold(hold);
    expect((await recover(anHourAgo, '--yes')).stderr).toContain('bob holds it');
    expect(ports.executions.started).toEqual([]);
  });
});
