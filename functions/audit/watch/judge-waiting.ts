import type { Duration } from '../../common/duration.ts';
import { secondsBetween } from '../../common/duration.ts';
import type { PendingEntry, SeenCheckpoint } from '../ports.ts';
import type { Finding, LogRef } from './finding.ts';

/** Ids that a finding names; the count says how many there are. */
const namedIds = 10;

export interface Waiting extends LogRef {
  readonly now: Date;
  /** `audit.watch.integratedWithin`. */
  readonly within: Duration;
  /** Events of this Region without a place in the log. */
  readonly pending: readonly Pick<PendingEntry, 'eventId' | 'recordedAt'>[];
  /** Entries of the newest log; undefined while nothing is published. */
  readonly size: number | undefined;
  readonly last: SeenCheckpoint | undefined;
}

/** Events that wait too long, and whether the log moves at all meanwhile. `last.seenAt` is when its size was seen first. */
export function judgeWaiting({ region, generation, now, within, pending, size, last }: Waiting): readonly Finding[] {
  const late = pending.filter(({ recordedAt }) => secondsBetween(new Date(recordedAt), now) > within);
  const [first] = late;
  if (!first) return [];
  const ids = late.slice(0, namedIds).map(({ eventId }) => eventId);
  const findings: Finding[] = [
    {
      ...{ code: 'AuditEventNotIntegrated', region, generation, subject: first.eventId },
      says: `${late.length} events wait for longer than ${within} s: ${ids.join(', ')}`,
    },
  ];
  const stands = size === undefined || (last?.size === size && secondsBetween(new Date(last.seenAt), now) > within);
  if (stands) {
    findings.push({
      ...{ code: 'AuditLogStale', region, generation, subject: 'checkpoint' },
      says:
        size === undefined
          ? 'events wait and nothing is published'
          : `events wait and the checkpoint has stood at ${size} since ${last?.seenAt}`,
    });
  }
  return findings;
}
