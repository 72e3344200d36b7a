import type { Clock } from '../../common/clock.ts';
import type { Hold } from '../models.ts';
import type { Coordination } from '../ports.ts';

/** Why nothing may move now; undefined when nobody holds it. */
export const heldBy = (hold: Hold | undefined, now: Date): string | undefined =>
  hold !== undefined && Date.parse(hold.until) > now.getTime() ? `${hold.by} holds it until ${hold.until} (${hold.reason})` : undefined;

/**
 * A hold stops whatever is not beyond the point of no return, whoever asked for it: that is how a change that is under way is aborted. Whoever wants to move
 * during a hold takes it away first.
 */
export const stopSign = async ({
  coordination,
  clock,
}: {
  readonly coordination: Pick<Coordination, 'hold'>;
  readonly clock: Pick<Clock, 'now'>;
}) => heldBy(await coordination.hold(), clock.now());
