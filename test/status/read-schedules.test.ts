import { describe, expect, it } from 'vitest';
import { backupAuditLogTable } from '../../functions/backup/backup-audit-log-table.ts';
import { backupStateTables } from '../../functions/backup/backup-state-tables.ts';
import { timestamp } from '../../functions/common/ids.ts';
import { ledgerKey } from '../../functions/maintenance/ledger-key.ts';
import { readSchedules } from '../../functions/status/read-status.ts';
import { memoryWorld } from '../support/host.ts';

const yesterday = timestamp(new Date('2026-11-20T06:00:00.000Z'));
const today = timestamp(new Date('2026-11-21T06:00:00.000Z'));

describe('the last success of a schedule', () => {
  const world = () => {
    const { ports, operations, clock } = memoryWorld();
    const { primary, standby, tertiary } = operations.regions;
    return {
      regions: { primary, standby, tertiary },
      async succeed(task: typeof backupAuditLogTable | typeof backupStateTables, region: typeof primary, scheduledAt: typeof today) {
        const run = { task: task.name, key: ledgerKey(task, '', region), scheduledAt };
        await ports.ledger.claim(run, clock.now(), 60);
        await ports.ledger.finish(run, clock.now());
      },
      async read(task: typeof backupAuditLogTable | typeof backupStateTables) {
        const [schedule] = await readSchedules({ ports, operations, clock }, [task]);
        return schedule?.lastSuccessAt;
      },
    };
  };

  it('is that of the Region that is furthest behind, where each runs it for itself', async () => {
    const { regions, succeed, read } = world();
    await succeed(backupAuditLogTable, regions.primary, today);
    await succeed(backupAuditLogTable, regions.standby, yesterday);
    expect(await read(backupAuditLogTable)).toBeUndefined(); // the tertiary never did
    await succeed(backupAuditLogTable, regions.tertiary, today);
    expect(await read(backupAuditLogTable)).toBe(yesterday);
    await succeed(backupAuditLogTable, regions.standby, today);
    expect(await read(backupAuditLogTable)).toBe(today);
  });

  it('is that of whichever Region led, where one runs it for all', async () => {
    const { regions, succeed, read } = world();
    await succeed(backupStateTables, regions.primary, yesterday);
    await succeed(backupStateTables, regions.standby, today);
    expect(await read(backupStateTables)).toBe(today);
  });
});
