import { type Region, timestamp } from '../functions/common/ids.ts';
import type { Operations } from '../functions/common/operations.ts';
import { type CoordinationRecord, Epoch, type Finding, type Vote } from '../functions/failover/models.ts';
import type { LogEntry } from './database-server.ts';
import type { MachineClock } from './machine-clock.ts';
import { operatedRegions, primary } from './operations.ts';
import { toMicros } from './virtual-time.ts';

/** The epoch that a run begins in: long after the last change of leadership. */
const epoch = Epoch.parse(1);

/** The record as a guardian in the primary renewed it just now. */
export function firstRecord({ failover }: Operations, clock: MachineClock): CoordinationRecord {
  const shown = clock.date(0);
  return {
    ...{ epoch, holder: primary, phase: 'active', fenced: true, version: 100 },
    leaseUntil: timestamp(new Date(shown.getTime() + failover.lease.length * 1000)),
    changedAt: timestamp(new Date(shown.getTime() - 86_400_000)),
  };
}

/** Observers have seen everything well before the run begins. */
export function firstVotes({ failover, databases }: Operations, clockOf: (region: Region) => MachineClock): readonly Vote[] {
  return operatedRegions.map((observer) => {
    const at = timestamp(clockOf(observer).date(0));
    const finding = (subject: string, status: Finding['status'] = 'healthy'): Finding => ({
      subject,
      status,
      since: at,
      contrary: 0,
      says: '200',
    });
    return {
      ...{ observer, at, run: at, about: primary, epoch, positions: [], lease: { version: 0, unchangedSeconds: 0 } },
      findings: [
        finding('region'),
        ...databases.map(({ id, sites }) => finding(`database/${id}`, sites[observer] ? 'healthy' : 'unknown')),
        ...failover.services.map(({ name }) => finding(`service/${name}`)),
      ],
    };
  });
}

/** What a primary's log begins with. @param coldStart no guardian ever renewed: open without an end */
export function firstEntry({ failover }: Operations, clock: MachineClock, coldStart: boolean): LogEntry {
  const shown = clock.show(0);
  const lease = coldStart
    ? { epoch: Epoch.parse(0), holder: undefined, untilMicros: Number.MAX_SAFE_INTEGER, closedFor: undefined }
    : { epoch, holder: primary, untilMicros: shown + toMicros(failover.lease.length), closedFor: undefined };
  return { at: 0, lease, transactions: 1000, canary: { seq: 1, writtenMicros: shown }, commit: undefined };
}
