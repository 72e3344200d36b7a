import { messageOf } from './errors.ts';
import type { TaskContext } from './task.ts';

/**
 * Scheduler fires within the minute, up to 60 s late: two runs of a task of each minute begin at most 120 s apart. A run that lasts longer is
 * still there when the next one begins; the ten seconds more are for that one to start cold and take its first look.
 */
const runMilliseconds = 130_000;

/** Kept free before the host stops the run, for the ledger to be written. */
const spareMilliseconds = 5_000;

/**
 * Runs `tick` at once and then every so many seconds until the run is over or a tick says that it is superseded. A tick that takes longer
 * delays the next one; a tick that throws is logged, and the next one comes all the same.
 *
 * @returns how many ticks there were
 */
export async function repeatedly(
  { clock, log, deadline }: Pick<TaskContext, 'clock' | 'log' | 'deadline'>,
  everySeconds: number,
  tick: () => Promise<boolean>,
): Promise<number> {
  const began = clock.now().getTime();
  const until = Math.min(began + runMilliseconds, deadline.getTime() - spareMilliseconds);
  let ticks = 0;
  for (let next = began; next < until; next = Math.max(next + everySeconds * 1000, clock.now().getTime())) {
    const wait = next - clock.now().getTime();
    if (wait > 0) await clock.sleep(wait);
    ticks++;
    try {
      if (await tick()) break;
    } catch (error) {
      log.error('a tick failed', { error: messageOf(error), name: error instanceof Error ? error.name : 'unknown' });
    }
  }
  return ticks;
}
