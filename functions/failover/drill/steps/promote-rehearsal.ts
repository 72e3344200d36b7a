import { minutes } from '../../../common/duration.ts';
import { defineStep } from '../../../common/task.ts';
import { RehearsalRecord } from '../models.ts';
import { parted } from '../parting.ts';
import { act, found, inPhase } from './rehearsal-step.ts';

/** Promotes the temporary replicas. What the observers knew of the live databases just before is what the copies are held against. */
export const promoteTheRehearsal = defineStep({
  name: 'promote-rehearsal',
  summary: 'Promotes the temporary replicas.',
  timeout: minutes(2),
  needs: ['coordination:read', 'replicas:rehearse'],
  input: RehearsalRecord,
  async run(record, context) {
    const { coordination, replicas, clock } = context;
    const { region } = record.request;
    const votes = await coordination.votes();
    const now = clock.now();
    const promoting = { ...inPhase(record, 'promote', now), databases: record.databases.map((each) => parted(each, votes, now)) };
    for (const { databaseId, restoredId } of record.databases) {
      await act(context, record, { action: 'promote-rehearsal', resource: restoredId }, () =>
        replicas.promoteRehearsal({ databaseId, region, restoredId }),
      );
    }
    return found(promoting, 'promoting', `the copies in ${region} are being promoted`);
  },
});
