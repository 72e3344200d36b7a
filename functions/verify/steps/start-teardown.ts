import { audited } from '../../audit/audited.ts';
import { timestamp } from '../../common/ids.ts';
import { defineStep } from '../../common/task.ts';
import { VerificationRecord } from '../models.ts';
import { machineOf } from '../verification.ts';

/**
 * Asks for the removal of the restored database. The machine comes here from every path, so it does not rely on what the
 * record says was made: the name follows from the verification's id.
 */
export const startTeardown = defineStep({
  name: 'start-teardown',
  summary: 'Removes the restored database, whatever happened before.',
  needs: ['databases:remove-restored'],
  input: VerificationRecord,
  async run(record, context) {
    const { databases, clock } = context;
    const ref = { region: record.region, restoredId: record.verificationId };
    await audited(context, { actor: machineOf(record), action: 'remove-restored-database', resource: ref.restoredId }, () =>
      databases.removeRestored(ref),
    );
    return { ...record, teardown: { status: 'removing' as const, requestedAt: record.teardown?.requestedAt ?? timestamp(clock.now()) } };
  },
});
