import { NotFound } from '../../common/errors.ts';
import { defineStep } from '../../common/task.ts';
import { VerificationRecord } from '../models.ts';

/** Confirms that what is to be verified exists and can be restored now. */
export const pickRecoveryPoint = defineStep({
  name: 'pick-recovery-point',
  summary: 'Confirms that the backup to verify is in the inventory and available in this Region.',
  needs: ['recovery-points:read'],
  input: VerificationRecord,
  async run(record, { recoveryPoints }) {
    if (record.target.kind === 'point-in-time') return record;
    const { recoveryPointId, snapshotId } = record.target;
    const point = await recoveryPoints.get(recoveryPointId);
    if (!point) throw new NotFound(`recovery point ${recoveryPointId} is not in the inventory`);
    const location = point.locations.find((each) => each.region === record.region && each.snapshotId === snapshotId);
    if (location?.status !== 'available') {
      throw new NotFound(`recovery point ${recoveryPointId} has no available snapshot ${snapshotId} in ${record.region}`, {
        hint: 'Run `codeblue backup list --all` to see where it is and in which state.',
      });
    }
    return { ...record, measured: { ...record.measured, ...(point.sizeBytes === undefined ? {} : { sizeBytes: point.sizeBytes }) } };
  },
});
