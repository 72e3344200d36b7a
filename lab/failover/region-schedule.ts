import { messageOf } from '../../functions/common/errors.ts';
import { type Region, timestamp } from '../../functions/common/ids.ts';
import type { AnyTask } from '../../functions/common/task.ts';
import { runTask } from '../../functions/handlers/run-operation.ts';
import type { Lab } from '../lab.ts';
import { livingClock } from '../network/life.ts';

/** A task that a region runs over and over, as its schedule would there. */
export interface Repeated {
  readonly task: AnyTask;
  /** From the beginning of one run to the next: the minute of the schedule, or less where a minute is too long to watch. */
  readonly everyMs: number;
  /** What is left of a run's time; tasks end before their deadline by themselves. */
  readonly runMs: number;
  /** Whether a run begins although the one before has not ended. */
  readonly overlaps: boolean;
}

const SLICE_MS = 200;

/** The schedules of one region: they run while the region lives, and each can be stopped by itself, as a function that is throttled to nothing. */
export class RegionSchedule {
  readonly region: Region;
  readonly #lab: Lab;
  readonly #stops = new Map<string, AbortController>();
  readonly #loops = new Set<Promise<void>>();
  /** Why runs failed, newest last: `guard-lease: ...`. */
  readonly failures: string[] = [];

  constructor(lab: Lab, region: Region) {
    this.#lab = lab;
    this.region = region;
  }

  /** Takes the place of what runs of the same task. */
  start(repeated: Repeated): void {
    this.kill(repeated.task.name);
    const stop = new AbortController();
    this.#stops.set(repeated.task.name, stop);
    const life = this.#lab.network?.life(this.region);
    const loop = this.#repeat(repeated, life ? AbortSignal.any([life, stop.signal]) : stop.signal).finally(() => this.#loops.delete(loop));
    this.#loops.add(loop);
  }

  /** Ends every run of that task in this region at once, and starts none any more. */
  kill(task: string): void {
    this.#stops.get(task)?.abort(`${task} in ${this.region} is dead`);
    this.#stops.delete(task);
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.values()) stop.abort(`${this.region} is being stopped`);
    this.#stops.clear();
    await Promise.all(this.#loops);
  }

  async #repeat({ task, everyMs, runMs, overlaps }: Repeated, life: AbortSignal): Promise<void> {
    const clock = livingClock(this.#lab.clock, life);
    const running = new Set<Promise<void>>();
    while (!life.aborted) {
      const nextAt = clock.now().getTime() + everyMs;
      const runs = task.schedules(this.#lab.operations).map(({ key, input }) => this.#once(task, key, input, runMs, life));
      const ended = Promise.all(runs).then(() => {});
      running.add(ended);
      void ended.then(() => running.delete(ended));
      if (!overlaps) await ended;
      // In slices: the lab's clock may be set forward meanwhile, and schedules go by it.
      for (let rest = nextAt - clock.now().getTime(); rest > 0 && !life.aborted; rest = nextAt - clock.now().getTime()) {
        await clock.sleep(Math.min(rest, SLICE_MS)).catch(() => {});
      }
    }
    await Promise.all(running);
  }

  async #once(task: AnyTask, key: string, input: unknown, runMs: number, life: AbortSignal): Promise<void> {
    const now = this.#lab.clock.now();
    try {
      const host = this.#lab.host(this.region, { life });
      await runTask(task, { key, scheduledAt: timestamp(now), input }, host, new Date(now.getTime() + runMs));
    } catch (error) {
      // Lambda would try again; the next run comes anyway.
      if (!life.aborted) this.failures.push(`${task.name}: ${messageOf(error)}`);
    }
  }
}
