import type { LiveDatabase } from '../backup/models.ts';
import { formatSeconds } from '../common/duration.ts';
import type { Database, Operations } from '../common/operations.ts';
import type { AccountReport, Asked } from './account-report.ts';
import { coordinationFindings, leadFindings } from './failover-findings.ts';
import { type Finding, ok, problem, warning } from './finding.ts';
import { snapshotQuotaName, snapshotsHeld } from './snapshot-demand.ts';

/** ctid range scans, which the fingerprints are read by, came with PostgreSQL 14. */
const oldestMajorVersion = 14;

/** A restore needs an instance beside the live ones; two, so that a verification can overlap another. */
const spareInstances = 2;

/** What the account tells about a deployment. Pure: the same report gives the same findings. */
export function accountFindings(operations: Operations, report: AccountReport): readonly Finding[] {
  if (report.identity.account !== operations.account) {
    const says = `the credentials belong to account ${report.identity.account}, the config is for ${operations.account}`;
    return [problem('account', says, `Sign in to ${operations.account} (AWS_PROFILE), or correct the account in the config.`)];
  }
  return [
    ok('account', `signed in to ${report.identity.account} as ${report.identity.arn}`),
    ...report.databases.flatMap((each) => liveFindings(operations, each)),
    ...operations.databases.flatMap((database) => takingTurns(operations, database, report)),
    ...report.keys.flatMap(({ subject, key, asked }) =>
      judge(asked, `${subject}: key ${key}`, 'Create the key, or correct its ARN in the config.', ({ enabled, state }) =>
        enabled
          ? [ok(subject, `key ${key} is enabled`)]
          : [problem(subject, `key ${key} is ${state}`, 'Enable the key: without it neither backup nor restore works.')],
      ),
    ),
    ...report.secrets.flatMap(({ subject, arn, asked }) =>
      judge(
        asked,
        `${subject}: secret ${arn}`,
        'Create the secret with username and password of the role codeblue, or correct its ARN.',
        ({ deletedAt }) =>
          deletedAt
            ? [problem(subject, 'the secret is marked for deletion', 'Restore it: aws secretsmanager restore-secret.')]
            : [ok(subject, 'the secret exists')],
      ),
    ),
    ...tableFindings(report.tables),
    ...coordinationFindings(operations, report.tables),
    ...report.quotas.flatMap(({ region, asked }) =>
      judge(asked, `quotas in ${region}`, '', (quotas) => quotaFindings(operations, region, quotas)),
    ),
  ];
}

/** The finding for what is absent or was not told; otherwise those of `judgeFound`. */
function judge<T>(asked: Asked<T>, subject: string, mendAbsent: string, judgeFound: (found: T) => readonly Finding[]): readonly Finding[] {
  if (asked.is === 'found') return judgeFound(asked.value);
  if (asked.is === 'absent') return [problem(subject, 'does not exist', mendAbsent)];
  return [
    warning(
      subject,
      `could not be looked at: ${asked.because}`,
      'Give these credentials read access (the AWS managed policy ReadOnlyAccess has it), and run doctor again.',
    ),
  ];
}

function liveFindings(operations: Operations, { database, region, asked }: AccountReport['databases'][number]): readonly Finding[] {
  const identifier = database.sites[region]?.identifier ?? database.id;
  const subject = `${identifier} in ${region}`;
  return judge(asked, subject, `Correct databases ${database.id}: sites['${region}'].identifier, or create it.`, (live) => {
    const checks = [versionFinding(subject, live), encryptionFinding(subject, live), protectionFinding(subject, live)];
    const turns = takesTurns(operations, database);
    if (turns ? live.replicaOf === undefined : region === operations.regions.primary) checks.push(...logFindings(subject, database, live));
    if (!turns && region === operations.regions.primary) checks.push(...primaryFindings(subject, database, live));
    if (!turns && region === database.replica?.region) {
      checks.push(
        live.replicaOf
          ? ok(subject, `is a replica of ${live.replicaOf}`)
          : problem(
              subject,
              'is no replica, although the config says so',
              'Create the cross-Region read replica, or take replica out of the config.',
            ),
      );
    }
    return checks;
  });
}

/** Whether the lead of a database moves between its Regions: then either of them may be the primary. */
const takesTurns = ({ failover }: Operations, { replica }: Database): boolean => failover.mode !== 'off' && replica !== undefined;

function takingTurns(operations: Operations, database: Database, { databases }: AccountReport): readonly Finding[] {
  if (!takesTurns(operations, database)) return [];
  const told = databases.flatMap(({ database: { id }, region, asked }) =>
    id === database.id && asked.is === 'found'
      ? [{ subject: `${database.sites[region]?.identifier ?? id} in ${region}`, region, live: asked.value }]
      : [],
  );
  // What is absent or not told is a finding already; with one site untold nobody can say who follows whom.
  return told.length === Object.keys(database.sites).length ? leadFindings(database, told) : [];
}

function versionFinding(subject: string, { engineVersion }: LiveDatabase): Finding {
  const major = Number.parseInt(engineVersion, 10);
  if (major >= oldestMajorVersion) return ok(subject, `runs PostgreSQL ${engineVersion}`);
  return problem(subject, `runs PostgreSQL ${engineVersion}; verification needs ${oldestMajorVersion} or later`, 'Upgrade the engine.');
}

function encryptionFinding(subject: string, { encrypted }: LiveDatabase): Finding {
  if (encrypted) return ok(subject, 'storage is encrypted');
  return problem(
    subject,
    'storage is not encrypted, and so are its snapshots not',
    'Restore it from a snapshot copied with a KMS key: encryption cannot be turned on later.',
  );
}

function protectionFinding(subject: string, { deletionProtected }: LiveDatabase): Finding {
  if (deletionProtected) return ok(subject, 'is protected against deletion');
  return warning(subject, 'can be deleted by one call', 'Turn deletion protection on.');
}

function logFindings(subject: string, { pointInTime }: Database, live: LiveDatabase): Finding[] {
  const found: Finding[] = [];
  const kept = live.logRetentionDays * 86_400;
  if (pointInTime.enabled && kept === 0) {
    const mend = `Set the backup retention period to ${pointInTime.window / 86_400} d or more; RDS turns the log on with it.`;
    found.push(problem(subject, 'automated backups are off: no point-in-time restore', mend));
  } else if (pointInTime.enabled && kept < pointInTime.window) {
    const says = `keeps ${live.logRetentionDays} d of log, pointInTime.window wants ${formatSeconds(pointInTime.window)}`;
    found.push(problem(subject, says, `Raise the backup retention period to ${pointInTime.window / 86_400} d.`));
  } else if (pointInTime.enabled) {
    found.push(ok(subject, `keeps ${live.logRetentionDays} d of log`));
  }
  return found;
}

function primaryFindings(subject: string, { replica }: Database, live: LiveDatabase): Finding[] {
  const found: Finding[] = [];
  if (live.replicaOf) {
    found.push(problem(subject, `is a replica of ${live.replicaOf}`, 'Name the Region of the writable database as regions.primary.'));
  }
  if (replica && live.replicas.length === 0) {
    found.push(
      problem(
        subject,
        `has no replica; the config names one in ${replica.region}`,
        'Create the cross-Region read replica, or take replica out of the config.',
      ),
    );
  }
  return found;
}

/** No table anywhere is a deployment that has not happened yet; some tables missing is one that broke. */
function tableFindings(tables: AccountReport['tables']): readonly Finding[] {
  if (tables.every(({ asked }) => asked.is === 'absent')) {
    return [warning('deployment', 'Codeblue is not deployed in this account yet', 'Deploy it: npx cdk deploy --all.')];
  }
  return tables.flatMap(({ region, name, asked }) =>
    judge(asked, `table ${name} in ${region}`, 'Deploy again: npx cdk deploy --all.', ({ status }) =>
      status === 'ACTIVE'
        ? [ok(`table ${name} in ${region}`, 'is active')]
        : [warning(`table ${name} in ${region}`, `is ${status}`, 'Wait until it is active, then run doctor again.')],
    ),
  );
}

function quotaFindings(
  operations: Operations,
  region: Operations['regions']['primary'],
  quotas: readonly { readonly name: string; readonly used: number; readonly limit: number }[],
): readonly Finding[] {
  const engines = [...new Set(operations.databases.map(({ engine }) => engine))];
  const snapshots = engines.flatMap((engine) => {
    const quota = quotas.find(({ name }) => name === snapshotQuotaName(engine));
    const held = snapshotsHeld(operations, engine, region);
    if (!quota || held === 0) return [];
    const says = `${quota.name}: ${quota.used} of ${quota.limit} used; the config keeps about ${held}`;
    return [
      quota.limit < held || quota.used >= quota.limit
        ? problem(`quotas in ${region}`, says, `Ask for a higher RDS quota (${quota.name}) in ${region}, or shorten the retention.`)
        : ok(`quotas in ${region}`, says),
    ];
  });
  const instances = quotas.find(({ name }) => name === 'DBInstances');
  if (!instances) return snapshots;
  const says = `DBInstances: ${instances.used} of ${instances.limit} used; verification restores up to ${spareInstances} more at a time`;
  const finding =
    instances.limit - instances.used < spareInstances
      ? problem(`quotas in ${region}`, says, `Ask for a higher RDS quota (DBInstances) in ${region}, or remove instances.`)
      : ok(`quotas in ${region}`, says);
  return [...snapshots, finding];
}
