import { backupDatabase } from '../../functions/backup/backup-database.ts';
import { recoveryPointId } from '../../functions/backup/models.ts';
import { timestamp } from '../../functions/common/ids.ts';
import { newVerification } from '../../functions/verify/verification.ts';
import type { Stage } from './backup.ts';

/** V6, the other half: many backups under full write load, every one of which must verify. */
export const healthyScenario =
  (count: number) =>
  async ({ lab, phases, findings }: Stage): Promise<void> => {
    await phases.run(`Take and prove ${count} backups under full load`, async (say) => {
      const [database] = lab.operations.databases;
      if (!database) throw new TypeError('the lab has no database');
      const region = lab.regions.primary;
      const refusals: string[] = [];
      for (let number = 1; number <= count; number++) {
        const requestedAt = lab.clock.now();
        await lab.run(backupDatabase, {
          key: `healthy-${number}`,
          scheduledAt: timestamp(requestedAt),
          input: { databaseId: database.id, kind: 'emergency' },
        });
        await lab.databases.settled();
        const id = recoveryPointId(database.id, 'emergency', requestedAt);
        const { recoveryPoints, proofs } = lab.ports();
        const point = await recoveryPoints.get(id);
        const [location] = point?.locations ?? [];
        if (!point || !location) throw new TypeError(`backup ${number} is not in the inventory`);
        await recoveryPoints.update({ ...point, locations: [{ ...location, status: 'available' }] });
        const target = { kind: 'recovery-point', recoveryPointId: id, snapshotId: location.snapshotId } as const;
        const record = newVerification({ databaseId: database.id, region, purpose: 'on-demand', target, now: lab.clock.now() });
        await lab.execute(region, 'verify-recovery-point', record.verificationId, record).catch(() => {});
        const proof = (await proofs.get(record.verificationId))?.proof;
        if (proof?.outcome !== 'verified') {
          refusals.push(
            `${id}: ${
              proof?.checks
                .filter((check) => check.result === 'failed')
                .map((check) => `${check.id} (${check.findings.join('; ')})`)
                .join(', ') ?? 'no proof'
            }`,
          );
        }
        await lab.databases.removeSnapshot({ region, snapshotId: location.snapshotId });
        say(`${number} of ${count}, ${refusals.length} refused`);
      }
      findings.measure('backupsTaken', count);
      findings.measure('falseAlarms', refusals.length);
      findings.promise(
        'V6.no-false-alarm',
        'Healthy backups under full write load verify.',
        refusals.length === 0,
        refusals[0] ?? `${count} of ${count} verified`,
      );
    });
  };
