import { minutes } from '../../common/duration.ts';
import { defineStep } from '../../common/task.ts';
import { BackupDamaged } from '../errors.ts';
import { VerificationRecord } from '../models.ts';
import { passed } from '../verification.ts';

/** Asks the store about the bytes before anything is restored from them. */
export const checkIntegrity = defineStep({
  name: 'check-integrity',
  summary: 'Checks the stored snapshot itself before anything is restored from it.',
  timeout: minutes(15),
  needs: ['snapshot-integrity:check'],
  input: VerificationRecord,
  async run(record, { snapshotIntegrity }) {
    if (record.target.kind === 'point-in-time') return record; // its bytes are the log and a snapshot of the service's own choice
    const findings = await snapshotIntegrity.check({ region: record.region, snapshotId: record.target.snapshotId });
    if (findings.length > 0) throw new BackupDamaged(findings.slice(0, 5).join('; '));
    return { ...record, checks: [...record.checks, passed('integrity')] };
  },
});
