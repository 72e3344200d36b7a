import { formatSeconds, minutes, secondsBetween } from '../../../common/duration.ts';
import { timestamp } from '../../../common/ids.ts';
import { defineStep } from '../../../common/task.ts';
import { TeardownTimedOut } from '../../../verify/errors.ts';
import { endPhases } from '../../report/phases.ts';
import { RehearsalRecord } from '../models.ts';
import { copiesOf } from '../rehearsed-copies.ts';
import { act, found, inPhase } from './rehearsal-step.ts';

/** RDS deletes an instance in 2 to 10 minutes; three times that is a failure to look at. */
const removalLimit = minutes(30);

/** Asks for the removal of every temporary replica, by the names that follow from the rehearsal's id. */
export const removeRehearsal = defineStep({
  name: 'remove-rehearsal',
  summary: 'Removes the temporary replicas, whatever happened before.',
  needs: ['databases:remove-restored'],
  input: RehearsalRecord,
  async run(record, context) {
    const { databases, operations, clock } = context;
    const { region } = record.request;
    for (const { restoredId } of copiesOf(operations, record.request)) {
      await act(context, record, { action: 'remove-rehearsal', resource: restoredId }, () =>
        databases.removeRestored({ region, restoredId }),
      );
    }
    const now = clock.now();
    const requestedAt = record.teardown?.requestedAt ?? timestamp(now);
    return { ...found(inPhase(record, 'remove', now), 'removing', record.says), teardown: { requestedAt } };
  },
});

/** One look whether they are gone: the receipt of the teardown. */
export const awaitRehearsalRemoval = defineStep({
  name: 'await-rehearsal-removal',
  summary: 'Looks whether the temporary replicas are gone.',
  needs: ['databases:describe'],
  input: RehearsalRecord,
  async run(record, { databases, operations, clock }) {
    const { region } = record.request;
    const now = clock.now();
    const requestedAt = record.teardown?.requestedAt ?? record.request.requestedAt;
    const looks = copiesOf(operations, record.request).map(({ restoredId }) => databases.describeRestored({ region, restoredId }));
    const left = (await Promise.all(looks)).flatMap((copy) => (copy ? [copy.restoredId] : []));
    if (left.length === 0) {
      const teardown = { requestedAt, removedAt: timestamp(now) };
      return { ...found(record, 'removed', 'the temporary replicas are gone'), teardown, phases: endPhases(record.phases, now) };
    }
    const waited = secondsBetween(new Date(requestedAt), now);
    if (waited > removalLimit)
      throw new TeardownTimedOut(`${left.join(', ')} still there ${formatSeconds(waited)} after removal was asked for`);
    return { ...found(record, 'removing', `${left.join(', ')} still there`), teardown: { requestedAt } };
  },
});
