import { recoveryPointId } from '../../backup/models.ts';
import { formatSeconds, hours, secondsBetween } from '../../common/duration.ts';
import { DatabaseId, type Region } from '../../common/ids.ts';
import type { AutomatedRunbook } from '../../common/incident-policy.ts';
import type { PlannedAct } from './models.ts';
import type { StorageState } from './ports.ts';

/** What is so now of the thing that a runbook acts on. */
export type Facts =
  | { readonly kind: 'capacity'; readonly wanted: number; readonly running: number }
  | { readonly kind: 'storage'; readonly storage: StorageState }
  | { readonly kind: 'database'; readonly leader: Region };

/** @param startedAt when the run was let begin: a backup is named by it */
export interface Moment {
  readonly region: Region;
  readonly startedAt: Date;
}

export type Plan = { readonly kind: 'act'; readonly act: PlannedAct } | { readonly kind: 'refused'; readonly because: string };

/** What is to be done, with what is so now, or why it cannot be. */
export function planAct({ action }: Pick<AutomatedRunbook, 'action'>, facts: Facts, { region, startedAt }: Moment): Plan {
  const refused = (because: string): Plan => ({ kind: 'refused', because });
  switch (action.kind) {
    case 'restart-service':
    case 'scale-out': {
      if (facts.kind !== 'capacity') return refused(`nothing is known of ${action.capacity}`);
      const { wanted, running } = facts;
      if (wanted === 0) return refused(`${action.capacity} is meant to run at 0 in ${region}: there is nothing to mend`);
      if (action.kind === 'restart-service') {
        return { kind: 'act', act: { kind: action.kind, capacity: action.capacity, wanted, running } };
      }
      const to = Math.min(wanted + action.by, action.atMost);
      if (to <= wanted) return refused(`${action.capacity} is meant to run at ${wanted} already, and atMost is ${action.atMost}`);
      return { kind: 'act', act: { kind: action.kind, capacity: action.capacity, from: wanted, to } };
    }
    case 'end-long-queries':
      return {
        kind: 'act',
        act: { kind: action.kind, databaseId: DatabaseId.parse(action.database), olderThanSeconds: action.olderThan },
      };
    case 'enlarge-storage':
      return facts.kind === 'storage' ? planStorage(action, facts.storage, startedAt) : refused(`nothing is known of ${action.database}`);
    case 'emergency-backup': {
      if (facts.kind === 'database' && facts.leader !== region) {
        return refused(`${facts.leader} leads: a backup of ${action.database} in ${region} would be one of a replica`);
      }
      const databaseId = DatabaseId.parse(action.database);
      const id = recoveryPointId(databaseId, 'emergency', startedAt);
      return { kind: 'act', act: { kind: action.kind, databaseId, recoveryPointId: id } };
    }
  }
}

/** RDS enlarges by a tenth at least: it rounds less up to that ("ModifyDBInstance", Amazon RDS API Reference, AllocatedStorage). */
const leastGrowth = 1.1;

/** RDS takes no second change within six hours of the first, or before the storage is optimized, whichever is later ("Working with storage", RDS User Guide). */
const rest = hours(6);

type Enlarge = Extract<AutomatedRunbook['action'], { readonly kind: 'enlarge-storage' }>;

function planStorage({ database, byPercent, atMostGigabytes }: Enlarge, storage: StorageState, now: Date): Plan {
  const refused = (because: string): Plan => ({ kind: 'refused', because });
  const { gigabytes, mostGigabytes, status, changedAt } = storage;
  if (!storage.isAllocated) return refused(`${database} is an Aurora cluster: its storage grows by itself`);
  if (status === 'storage-optimization')
    return refused(`RDS still optimizes the storage of ${database}, and changes nothing before that is over`);
  if (status !== 'available' && status !== 'storage-full') return refused(`${database} is ${status}: RDS enlarges it when it is available`);
  const since = changedAt && secondsBetween(changedAt, now);
  if (since !== undefined && since < rest) {
    return refused(`the storage of ${database} was changed ${formatSeconds(since)} ago, and RDS changes it once in ${formatSeconds(rest)}`);
  }
  const most = Math.min(atMostGigabytes, mostGigabytes ?? atMostGigabytes);
  const toGigabytes = Math.min(Math.ceil(gigabytes * (1 + byPercent / 100)), most);
  if (toGigabytes < Math.ceil(gigabytes * leastGrowth)) {
    return refused(`${database} has ${gigabytes} GiB, ${most} GiB is the most, and RDS enlarges by a tenth at least`);
  }
  return { kind: 'act', act: { kind: 'enlarge-storage', databaseId: DatabaseId.parse(database), fromGigabytes: gigabytes, toGigabytes } };
}

/** What would be called, for whoever reads a dry run or is asked. */
export function actWords(act: PlannedAct, region: Region): string {
  switch (act.kind) {
    case 'restart-service':
      return `replace every task or instance of ${act.capacity} in ${region} by a new one, a part at a time (${act.running} of ${act.wanted} run)`;
    case 'scale-out':
      return `raise ${act.capacity} in ${region} from ${act.from} to ${act.to}`;
    case 'end-long-queries':
      return `end the sessions of ${act.databaseId} in ${region} whose statement has run for more than ${formatSeconds(act.olderThanSeconds)}`;
    case 'enlarge-storage':
      return `enlarge the storage of ${act.databaseId} in ${region} from ${act.fromGigabytes} to ${act.toGigabytes} GiB`;
    case 'emergency-backup':
      return `take the emergency snapshot ${act.recoveryPointId} of ${act.databaseId} in ${region}`;
  }
}
