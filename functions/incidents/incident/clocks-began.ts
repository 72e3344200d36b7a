import type { Timestamp } from '../../common/ids.ts';
import type { Incident, TimelineEntry } from '../models.ts';

/** When an incident's clocks began: with its opening, or the last time that it was opened again. */
export const clocksBegan = ({ openedAt }: Pick<Incident, 'openedAt'>, timeline: readonly TimelineEntry[]): Timestamp =>
  timeline.findLast(({ kind }) => kind === 'reopening')?.at ?? openedAt;
