import { formatSeconds, minutes, secondsBetween } from '../../../common/duration.ts';
import { InvalidInput } from '../../../common/errors.ts';
import { defineStep } from '../../../common/task.ts';
import { FullTestRecord } from '../full-test-models.ts';
import { whyNotWell } from '../live-system.ts';
import { found, wrong } from './full-test-step.ts';

/**
 * How long the other Region carries the load: long enough for answers of the name service to age out (a minute), for pools to reconnect and for a few rounds of every
 * periodic job of minutes; short enough to go there and back within one change window.
 */
const runsHereFor = minutes(10);

/** Watches the Region that leads for the test. When it does not do well the test goes back at once. */
export const watchFullTest = defineStep({
  name: 'watch-full-test',
  summary: 'Watches the Region that leads for the test, and goes back at once when it does not do well.',
  timeout: minutes(1),
  needs: ['coordination:read'],
  input: FullTestRecord,
  async run(record, { coordination, operations, clock }) {
    const { plan, movedAt } = record;
    if (!plan || !movedAt) throw new InvalidInput('the record of the full test says nothing of a move');
    const [current, votes, hold] = await Promise.all([coordination.read(), coordination.votes(), coordination.hold()]);
    const now = clock.now();
    const because = whyNotWell({ operations, record: current, votes, hold, now }, { leader: plan.to, epoch: plan.epoch });
    const ran = secondsBetween(new Date(movedAt), now);
    // Observers begin anew with each epoch: none is heard of in the first moments.
    const settling = ran < operations.failover.observe.voteMaxAge && because?.startsWith('no observer');
    if (because !== undefined && !settling) return wrong(record, 'go-back', because);
    if (ran < runsHereFor) return found(record, 'watching', `${plan.to} has led for ${formatSeconds(ran)}, and does well`);
    return found(record, 'go-back', `${plan.to} led for ${formatSeconds(ran)}, and did well`);
  },
});
