import type { Duration } from '../../functions/common/duration.ts';
import type { Operations } from '../../functions/common/operations.ts';
import type { Schedule } from '../../functions/common/schedule.ts';
import type { IncidentProfile } from './common-incidents.ts';

type Database = Operations['databases'][number];

/** What a profile says about every database unless the config says otherwise. */
type DatabasePolicy = Pick<Database, 'objectives' | 'retention' | 'pointInTime' | 'invariants'> & {
  readonly backups: { readonly daily: Schedule; readonly 'six-hourly': Schedule };
  /** A replica that the config declares without a threshold is alarmed at this lag. */
  readonly replicaLagAlarm: Duration;
};

/** The policy of one operations manual as data: every number is a default that a config can change. */
export interface ProfilePolicy {
  readonly operations: Pick<
    Operations,
    'regions' | 'timeZone' | 'verification' | 'canary' | 'vaultLock' | 'logRetentionDays' | 'failover' | 'changeWindows' | 'audit'
  >;
  readonly incidents: IncidentProfile;
  readonly database: DatabasePolicy;
}
