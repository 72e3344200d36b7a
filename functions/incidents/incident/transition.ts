import { type Timestamp, timestamp } from '../../common/ids.ts';
import { isOver } from '../is-over.ts';
import type { Incident, TimelineEntry } from '../models.ts';

interface Refused {
  readonly kind: 'refused';
  /** Completes "it cannot be done: ...". */
  readonly because: string;
  readonly hint: string;
}

/** What comes of a change that somebody wants: the incident after it with its lines of the timeline, nothing because it is so already, or why it cannot be. */
export type Transition =
  | { readonly kind: 'done'; readonly incident: Incident; readonly entries: readonly TimelineEntry[]; readonly says: string }
  | { readonly kind: 'unchanged'; readonly says: string }
  | Refused;

/** Who wants a change, and when. `by` is a person of the config where one is known, else the principal. */
export interface Wanted {
  readonly by: string;
  readonly now: Date;
}

export const refused = (because: string, hint: string): Refused => ({ kind: 'refused', because, hint });

export const line = (kind: TimelineEntry['kind'], { by, now }: Wanted, says: string): TimelineEntry => ({
  ...{ at: timestamp(now), kind, by },
  says: says.slice(0, 1000),
});

/** Why nothing more can be changed about it; undefined while it is open. */
export function overBecause(incident: Incident): Refused | undefined {
  if (!isOver(incident)) return undefined;
  const { id, mergedInto, resolvedAt, resolvedBy } = incident;
  if (mergedInto) return refused(`${id} goes on as ${mergedInto}`, `Do it there: codeblue incident show ${mergedInto}`);
  return refused(
    `${id} was resolved at ${resolvedAt} by ${resolvedBy}`,
    `If it is not over: codeblue incident reopen ${id} --reason "..."`,
  );
}

export const later = (a: Timestamp, b: Timestamp): Timestamp => (a < b ? b : a);
export const earlier = (a: Timestamp, b: Timestamp): Timestamp => (a < b ? a : b);
