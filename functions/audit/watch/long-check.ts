import type { z } from 'zod';
import type { Clock } from '../../common/clock.ts';
import { minutes, seconds } from '../../common/duration.ts';
import { timestamp } from '../../common/ids.ts';
import { parseAs } from '../../common/parse.ts';
import type { AuditWatchMemory, WatchProgress } from '../ports.ts';

interface CheckPorts {
  readonly auditWatchMemory: Pick<AuditWatchMemory, 'progress' | 'keepProgress'>;
  readonly clock: Pick<Clock, 'now'>;
  /** When the host ends this run. */
  readonly deadline: Date;
}

/** Kept of a run's time for writing down how far it came. */
const spare = minutes(1);
/** After the host has ended a run, for its last writes to arrive. */
const grace = seconds(30);

/**
 * A check that takes several runs. A run that has hold of it goes on from what is kept, and lets go when its time is over; one that died holds it no longer than its host let it live, and
 * the next one goes on from what it kept last.
 */
export interface LongCheck<State> {
  readonly startedAt: Date;
  readonly state: State;
  /** Whether a run should go on with the next piece. */
  readonly hasTime: () => boolean;
  /** Keeps how far it came. @returns false when another run has taken hold of it: then this one must stop */
  keep(state: State): Promise<boolean>;
  /** Ends this run. `finished`: the check is over, and the next run begins anew. */
  letGo(state: State, finished: boolean): Promise<void>;
}

/**
 * Takes hold of a check that is not finished, or begins it.
 *
 * @param begin what a new one begins with; undefined: only one that is not finished is gone on with
 * @returns undefined when there is nothing to do: another run has hold of it, or it is finished
 */
export async function takeHold<S extends z.ZodType>(
  check: string,
  schema: S,
  begin: (() => Promise<z.output<S>>) | undefined,
  ports: CheckPorts,
): Promise<LongCheck<z.output<S>> | undefined> {
  const { auditWatchMemory, clock, deadline } = ports;
  const known = await auditWatchMemory.progress(check);
  const now = clock.now();
  if (known?.heldUntil !== undefined && new Date(known.heldUntil) > now) return undefined;
  const unfinished = known && known.finishedAt === undefined ? known : undefined;
  if (!unfinished && !begin) return undefined;
  let version = known?.version ?? 0;
  const startedAt = unfinished?.startedAt ?? timestamp(now);
  const heldUntil = timestamp(new Date(deadline.getTime() + grace * 1000));
  const write = async (next: Pick<WatchProgress, 'state' | 'heldUntil' | 'finishedAt'>) => {
    const stands = await auditWatchMemory.keepProgress({ check, version: version + 1, startedAt, ...next });
    if (stands) version++;
    return stands;
  };
  const state = unfinished
    ? parseAs(schema, unfinished.state, `the progress of ${check}`)
    : parseAs(schema, await begin?.(), `the progress of ${check}`);
  if (!(await write({ state: plain(state), heldUntil }))) return undefined;
  return {
    startedAt: new Date(startedAt),
    state,
    hasTime: () => clock.now().getTime() < deadline.getTime() - spare * 1000,
    keep: (next) => write({ state: plain(next), heldUntil }),
    async letGo(next, finished) {
      await write({ state: plain(next), ...(finished ? { finishedAt: timestamp(clock.now()) } : {}) });
    },
  };
}

const plain = (state: unknown): WatchProgress['state'] => JSON.parse(JSON.stringify(state));
