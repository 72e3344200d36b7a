import { z } from 'zod';
import { AuditPolicy } from './audit-policy.ts';
import { Duration } from './duration.ts';
import { ChangeWindow, FailoverPolicy } from './failover-policy.ts';
import { DatabaseId, Region } from './ids.ts';
import { IncidentPolicy } from './incident-policy.ts';
import { Schedule, TimeZone } from './schedule.ts';

const AwsId = (prefix: string) => z.string().regex(new RegExp(`^${prefix}-[0-9a-z]+$`), `an id such as ${prefix}-0abc1234`);

/** Where a database lives in one Region, and how to reach it there. */
export const DatabaseSite = z.strictObject({
  /** RDS instance identifier, or Aurora cluster identifier. */
  identifier: z.string().regex(/^[a-z](?!.*--)[a-z0-9-]{0,62}$/, 'an RDS identifier: lower-case letters, digits, single hyphens'),
  /** Secrets Manager secret with `username` and `password` of Codeblue's role; see docs/operations.md for its grants. */
  secretArn: z.string().regex(/^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:.+$/, 'the ARN of a Secrets Manager secret'),
  /** KMS key that encrypts the secret; leave out when it is the account's aws/secretsmanager key. */
  secretKeyArn: z
    .string()
    .regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/.+$/, 'the ARN of a KMS key')
    .optional(),
  /** KMS key of the database's storage: snapshots are first taken under it. */
  storageKeyArn: z
    .string()
    .regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/.+$/, 'the ARN of a KMS key')
    .optional(),
  network: z.strictObject({
    vpcId: AwsId('vpc'),
    availabilityZones: z.array(z.string()).min(1),
    subnetIds: z.array(AwsId('subnet')).min(1),
    /** A security group that the database accepts PostgreSQL connections from. */
    securityGroupId: AwsId('sg'),
  }),
  /** What CloudWatch does not say, and the alarms on memory, disk and connections need; where it is left out, that alarm is. */
  limits: z
    .strictObject({
      /** Of the instance class, in GiB. */
      memoryGigabytes: z.number().positive().optional(),
      /** Allocated, in GiB; Aurora's grows by itself. */
      storageGigabytes: z.int().positive().optional(),
      /** `show max_connections`. */
      maxConnections: z.int().positive().optional(),
    })
    .optional(),
});

export type DatabaseSite = z.output<typeof DatabaseSite>;

/** SQL that must hold in every restored copy. It returns the rows that break the rule: none means it holds. */
export const Invariant = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/, 'lower-case words joined by hyphens'),
  says: z.string().min(1),
  sql: z.string().min(1),
  /** Tables it reads (`schema.table`); where one is absent the invariant does not apply, and the verdict says so. */
  tables: z.array(z.string()).min(1),
});
export type Invariant = z.output<typeof Invariant>;

export const Retention = z.strictObject({
  /** In the Region where the backup was taken. */
  home: Duration,
  /** In the other Region(s). */
  copy: Duration,
});

export const Database = z.strictObject({
  id: DatabaseId,
  engine: z.enum(['rds-postgres', 'aurora-postgres']),
  /** Databases inside the server to verify; all of them when left out. */
  databaseNames: z.array(z.string().min(1)).min(1).optional(),
  port: z.int().min(1).max(65535).default(5432),
  /** By Region; the primary Region is required, the standby's is the cross-Region replica. */
  sites: z.record(Region, DatabaseSite),
  objectives: z.strictObject({
    /** Most data that may be lost, as time. */
    rpo: Duration,
    /** Longest time until the database serves again. */
    rto: Duration,
    /** Most data that may be lost with a whole Region, where that may be more than `rpo` (no replica, say). */
    regionLossRpo: Duration.optional(),
  }),
  backups: z.strictObject({
    daily: Schedule,
    'six-hourly': Schedule.optional(),
  }),
  /** Regions that each backup is copied to. */
  copyTo: z.array(Region),
  retention: z.strictObject({ daily: Retention, 'six-hourly': Retention, emergency: Retention }),
  /** Point-in-time restore from the transaction log; `window` is how far back it must reach. */
  pointInTime: z.strictObject({ enabled: z.boolean(), window: Duration }),
  /** A streaming replica in another Region; alarmed when it lags more than this. */
  replica: z.strictObject({ region: Region, lagAlarm: Duration }).optional(),
  invariants: z.array(Invariant),
  /** Instance class for restored copies; the live one's when left out. */
  restoreInstanceClass: z
    .string()
    .regex(/^db\.[a-z0-9]+\.[a-z0-9]+$/, 'an instance class such as db.r6g.large')
    .optional(),
});
export type Database = z.output<typeof Database>;

export const Contact = z.strictObject({
  name: z.string().min(1),
  email: z.email(),
});

/** The whole of one deployment, as the handlers read it. `defineOperations` makes it from what people write. */
export const Operations = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{1,20}$/, 'a short lower-case name'),
  profile: z.enum(['hms', 'arocord']),
  account: z.string().regex(/^\d{12}$/, 'a 12-digit AWS account id'),
  regions: z.strictObject({ primary: Region, standby: Region, tertiary: Region }),
  timeZone: TimeZone,
  databases: z.array(Database).min(1),
  verification: z.strictObject({
    /** Point-in-time restore to a random second. */
    pointInTime: Schedule,
    /** Restore in the standby Region with the first Region denied. */
    secondRegion: Schedule,
    /** Alarm when the newest verified restore is older. */
    maxAge: Duration,
    /** Longest that one restored database may live. */
    restoreLimit: Duration,
  }),
  canary: z.strictObject({ interval: Duration, keep: Duration }),
  /** Locked copies. `simulate` tells what a lock would hold without locking anything. */
  vaultLock: z.strictObject({
    mode: z.enum(['off', 'simulate', 'compliance']),
    minRetention: Duration,
    maxRetention: Duration,
    /** Days in which a compliance lock can still be undone (AWS wants at least 3). */
    graceDays: z.int().min(3).max(365),
    schedule: Schedule,
  }),
  failover: FailoverPolicy,
  /** Disruptive tasks run inside these only. */
  changeWindows: z.array(ChangeWindow).min(1),
  incidents: IncidentPolicy,
  audit: AuditPolicy,
  contacts: z.strictObject({ owner: Contact, onCall: Contact, compliance: Contact }),
  logRetentionDays: z.strictObject({ application: z.int().positive(), backup: z.int().positive(), audit: z.int().positive() }),
});
export type Operations = z.output<typeof Operations>;
