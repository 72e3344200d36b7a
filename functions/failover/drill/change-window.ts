import { after, type Duration, secondsBetween } from '../../common/duration.ts';
import type { ChangeWindow } from '../../common/failover-policy.ts';
import { latestOccurrence } from '../../common/schedule.ts';

export interface OpenWindow {
  readonly name: string;
  readonly closesAt: Date;
}

/**
 * The change window that is open now, with this much time left in it at least; of several the one that closes last. Disruptive work runs in one or not
 * at all.
 */
export function insideWindow(windows: readonly ChangeWindow[], timeZone: string, now: Date, left: Duration): OpenWindow | undefined {
  const open = windows.flatMap(({ name, opens, lasts }) => {
    const opened = latestOccurrence(opens, timeZone, now);
    const closesAt = opened && after(opened, lasts);
    return closesAt && secondsBetween(now, closesAt) >= Math.max(1, left) ? [{ name, closesAt }] : [];
  });
  return open.sort((a, b) => b.closesAt.getTime() - a.closesAt.getTime())[0];
}
