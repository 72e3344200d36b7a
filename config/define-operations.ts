import type { z } from 'zod';
import { type Contact, Database, type DatabaseSite, type Invariant, Operations, type Retention } from '../functions/common/operations.ts';
import type { Schedule } from '../functions/common/schedule.ts';
import { failoverDefaults } from './failover-rules.ts';
import { incidentDefaults } from './incident-defaults.ts';
import { type ConfigProblem, InvalidConfig } from './invalid-config.ts';
import { mergeDefaults } from './merge-defaults.ts';
import { arocord } from './profiles/arocord.ts';
import { hms } from './profiles/hms.ts';
import type { ProfilePolicy } from './profiles/policy.ts';
import type { Checked } from './rule.ts';
import { ruleProblems } from './rules.ts';
import { schemaProblems } from './schema-problems.ts';

const profiles: Readonly<Record<Operations['profile'], ProfilePolicy>> = { hms, arocord };

type Whole = z.input<typeof Operations>;
type WholeDatabase = z.input<typeof Database>;

/** A database as people write it: what the profile says may be left out or changed in part. */
export interface DatabaseInput {
  readonly id: string;
  readonly engine: WholeDatabase['engine'];
  readonly databaseNames?: string[];
  readonly port?: number;
  /** By Region name. The primary Region is required. */
  readonly sites: Readonly<Record<string, z.input<typeof DatabaseSite>>>;
  readonly objectives?: Partial<WholeDatabase['objectives']>;
  /** `'off'` turns the profile's six-hourly backups off. */
  readonly backups?: { readonly daily?: Schedule; readonly 'six-hourly'?: Schedule | 'off' };
  /** Regions to copy every backup to; the standby Region when left out. */
  readonly copyTo?: string[];
  readonly retention?: { readonly [kind in keyof WholeDatabase['retention']]?: Partial<z.input<typeof Retention>> };
  readonly pointInTime?: Partial<WholeDatabase['pointInTime']>;
  /** The cross-Region read replica; alarmed at the profile's lag when `lagAlarm` is left out. */
  readonly replica?: { readonly region: string; readonly lagAlarm?: number };
  readonly invariants?: z.input<typeof Invariant>[];
  readonly restoreInstanceClass?: string;
}

/** Any part of it, down to whole lists and schedules. */
type Parts<T> = { readonly [K in keyof T]?: T[K] extends readonly unknown[] | Schedule ? T[K] : T[K] extends object ? Parts<T[K]> : T[K] };

/** A deployment as people write it. Only what has no sensible default is required. */
export interface OperationsInput {
  readonly name: string;
  readonly profile: Whole['profile'];
  readonly account: string;
  readonly databases: readonly DatabaseInput[];
  readonly contacts: Readonly<Record<keyof Whole['contacts'], z.input<typeof Contact>>>;
  readonly regions?: Partial<Whole['regions']>;
  readonly timeZone?: string;
  readonly verification?: Partial<Whole['verification']>;
  readonly canary?: Partial<Whole['canary']>;
  readonly vaultLock?: Partial<Whole['vaultLock']>;
  readonly logRetentionDays?: Partial<Whole['logRetentionDays']>;
  /** How the system moves to another Region; in part over the profile's. Off where not every database has a replica in the standby Region. */
  readonly failover?: Parts<Whole['failover']>;
  readonly changeWindows?: Whole['changeWindows'];
  /** Who is told of what goes wrong, and who next; in part over the profile's. */
  readonly incidents?: Parts<Whole['incidents']>;
  /** What applications may log, how long it is kept, who cosigns; in part over the profile's. */
  readonly audit?: Parts<Whole['audit']>;
}

/**
 * One deployment: what is written here over the defaults of its profile.
 *
 * @throws InvalidConfig listing every problem, before anything is made
 * @example
 * export default defineOperations({
 *   name: 'hms', profile: 'hms', account: '111122223333',
 *   databases: [{ id: 'hms', engine: 'rds-postgres', sites: { 'us-east-1': { ... } }, objectives: { rpo: minutes(5) } }],
 *   contacts: { owner: ..., onCall: ..., compliance: ... },
 * });
 */
export function defineOperations(input: OperationsInput): Operations {
  return parseOperations(withDefaults(input));
}

/** A complete config from outside (a file, a bundle). @throws InvalidConfig listing every problem */
export function parseOperations(config: unknown): Operations {
  const parsed = Operations.safeParse(config);
  const schema = parsed.success ? [] : schemaProblems(Operations, config, parsed.error.issues);
  const problems: ConfigProblem[] = [...schema, ...ruleProblems(soundParts(config))];
  if (!parsed.success || problems.length > 0) throw new InvalidConfig(problems);
  return parsed.data;
}

function withDefaults(input: OperationsInput): unknown {
  if (typeof input !== 'object' || input === null) return input;
  // An unknown profile is one problem; taking the defaults from another keeps it from becoming twelve.
  const profile = Object.hasOwn(profiles, input.profile) ? profiles[input.profile] : hms;
  const regions = { ...profile.operations.regions, ...input.regions };
  const { standby } = regions;
  const failover = failoverDefaults(profile.operations.failover, regions, hasReplicas(input.databases, standby));
  const incidents = incidentDefaults(profile.incidents, input.contacts, input.timeZone ?? profile.operations.timeZone);
  const merged = mergeDefaults({ ...profile.operations, failover, incidents }, input);
  if (typeof merged !== 'object' || !Array.isArray(input.databases)) return merged;
  return { ...merged, databases: input.databases.map((database) => databaseWithDefaults(database, profile, standby)) };
}

/** Whether every database that was written has a replica in the standby Region: else failover is off unless the config says otherwise. */
const hasReplicas = (databases: unknown, standby: string): boolean =>
  Array.isArray(databases) && databases.every((database: DatabaseInput | null) => database?.replica?.region === standby);

function databaseWithDefaults(written: unknown, { database: policy }: ProfilePolicy, standby: unknown): unknown {
  const { replicaLagAlarm, ...defaults } = policy;
  const replica = typeof written === 'object' && written !== null && 'replica' in written && written.replica !== undefined;
  const merged = mergeDefaults({ copyTo: [standby], ...defaults, ...(replica ? { replica: { lagAlarm: replicaLagAlarm } } : {}) }, written);
  return withoutOff(merged);
}

/** Takes `'six-hourly': 'off'` out, which says "none" to a config whose default has one. */
function withoutOff(database: unknown): unknown {
  if (typeof database !== 'object' || database === null || !('backups' in database)) return database;
  const { backups } = database;
  if (typeof backups !== 'object' || backups === null || !('six-hourly' in backups) || backups['six-hourly'] !== 'off') return database;
  const { 'six-hourly': _, ...rest } = backups;
  return { ...database, backups: rest };
}

/** The parts that parse by themselves, so that the rules between parts are checked although another part is broken. */
function soundParts(config: unknown): Checked {
  const parts: Readonly<Record<string, unknown>> = typeof config === 'object' && config !== null ? { ...config } : {};
  const databases = Array.isArray(parts.databases) ? parts.databases : [];
  return {
    account: Operations.shape.account.safeParse(parts.account).data,
    regions: Operations.shape.regions.safeParse(parts.regions).data,
    timeZone: Operations.shape.timeZone.safeParse(parts.timeZone).data,
    verification: Operations.shape.verification.safeParse(parts.verification).data,
    canary: Operations.shape.canary.safeParse(parts.canary).data,
    vaultLock: Operations.shape.vaultLock.safeParse(parts.vaultLock).data,
    logRetentionDays: Operations.shape.logRetentionDays.safeParse(parts.logRetentionDays).data,
    failover: Operations.shape.failover.safeParse(parts.failover).data,
    changeWindows: Operations.shape.changeWindows.safeParse(parts.changeWindows).data,
    incidents: Operations.shape.incidents.safeParse(parts.incidents).data,
    audit: Operations.shape.audit.safeParse(parts.audit).data,
    databases: databases.map((database: unknown) => Database.safeParse(database).data),
  };
}
