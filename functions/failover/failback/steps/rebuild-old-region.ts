import { hours, minutes } from '../../../common/duration.ts';
import { ServiceUnavailable } from '../../../common/errors.ts';
import { defineStep } from '../../../common/task.ts';
import { FailbackRecord } from '../models.ts';
import { act, found, notYet, whyNotLeading } from './failback-step.ts';

/** A name is changed in minutes; a service that does not answer may take longer. */
const limit = hours(2);

/**
 * Asks the database service to make replicas of today's primaries in the old Region: of what was a primary there, and of a
 * replica that follows one that was replaced. What stood there is kept aside by the service's adapter.
 */
export const rebuildOldRegion = defineStep({
  name: 'rebuild-old-region',
  summary: 'Rebuilds the databases of the old Region as replicas of the new primary.',
  timeout: minutes(5),
  needs: ['coordination:read', 'replicas:describe', 'replicas:rebuild'],
  input: FailbackRecord,
  async run(record, context) {
    const { coordination, replicas, operations, clock } = context;
    const { leader, oldRegion, epoch } = record.request;
    const disturbed = await whyNotLeading(coordination, record);
    if (disturbed !== undefined) return found(record, 'stopped', disturbed, clock.now());
    for (const { id } of operations.databases) {
      const isAstray = record.astray.some(({ databaseId }) => databaseId === id);
      if (!isAstray && (await replicas.describe(id, oldRegion)).role === 'replica') continue;
      const resource = `${oldRegion}/${id}`;
      const says = await act(context, record, { action: 'rebuild-replica', resource }, () =>
        unlessBusy(replicas.rebuild({ databaseId: id, region: oldRegion, from: leader, epoch })),
      );
      if (says !== undefined) return notYet(record, 'moving-aside', `${id}: ${says}`, { now: clock.now(), limit });
    }
    return found(record, 'rebuilding', `replicas of ${leader} are being built in ${oldRegion}`, clock.now());
  },
});

/** RDS takes minutes to give what stood there another name, and does nothing else with it meanwhile: then it is asked again. @returns why */
async function unlessBusy(rebuild: Promise<void>): Promise<string | undefined> {
  try {
    await rebuild;
    return undefined;
  } catch (error) {
    if (error instanceof ServiceUnavailable) return error.message;
    throw error;
  }
}
