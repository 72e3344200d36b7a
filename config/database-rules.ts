import {
  backupSchedules,
  longestBackupGapSeconds,
  objectiveFor,
  objectiveShortfalls,
  snapshotCompletesSeconds,
} from '../functions/backup/recovery-objective.ts';
import { formatSeconds } from '../functions/common/duration.ts';
import { describeSchedule } from '../functions/common/schedule.ts';
import { type ConfigProblem, formatPath } from './invalid-config.ts';
import { type DatabaseRule, problem, repeated } from './rule.ts';

/** Restored databases are removed at the limit: a limit below the objective would cut off a restore that is still in time. */
const restoreMayTakeTheObjective: DatabaseRule = ({ objectives }, at, { verification }) =>
  verification === undefined || verification.restoreLimit >= objectives.rto
    ? []
    : [
        problem(
          ['verification', 'restoreLimit'],
          formatSeconds(verification.restoreLimit),
          `at least the RTO of ${formatPath(at)}, which is ${formatSeconds(objectives.rto)}`,
          'Raise verification.restoreLimit: a restore that keeps its objective must not be cut off.',
        ),
      ];

const primaryHasASite: DatabaseRule = ({ sites }, at, { regions }) =>
  regions === undefined || sites[regions.primary]
    ? []
    : [
        problem(
          [...at, 'sites', regions.primary],
          undefined,
          `the site of the live database in the primary Region (it has: ${Object.keys(sites).join(', ') || 'none'})`,
          `Add sites['${regions.primary}'], or make another Region the primary.`,
        ),
      ];

const sitesFit: DatabaseRule = ({ sites }, at, { account, regions }) =>
  Object.entries(sites).flatMap(([region, site]) => {
    const here = [...at, 'sites', region];
    const found: ConfigProblem[] = [];
    const own: readonly string[] = Object.values(regions ?? {});
    if (regions && !own.includes(region)) {
      found.push(
        problem(here, region, `a Region of this deployment: ${own.join(', ')}`, 'Remove the site, or name its Region under regions.'),
      );
    }
    for (const key of ['secretArn', 'secretKeyArn', 'storageKeyArn'] as const) {
      const arn = site[key];
      const [, , , arnRegion, arnAccount] = arn?.split(':') ?? [];
      if (arnRegion !== undefined && arnRegion !== region) {
        found.push(
          problem(
            [...here, key],
            arn,
            `an ARN in ${region}`,
            `Use the one of ${region}: what lives in ${arnRegion} is gone when that Region is.`,
          ),
        );
      }
      if (account !== undefined && arnAccount !== undefined && arnAccount !== account) {
        found.push(problem([...here, key], arn, `an ARN in the account ${account}`, 'Correct the account in the ARN, or `account`.'));
      }
    }
    const { availabilityZones, subnetIds } = site.network;
    const foreign = availabilityZones.find((zone) => !zone.startsWith(region));
    if (foreign !== undefined) {
      found.push(
        problem(
          [...here, 'network', 'availabilityZones'],
          foreign,
          `availability zones of ${region}, such as ${region}a`,
          'Name the zones of the subnets.',
        ),
      );
    }
    if (subnetIds.length !== availabilityZones.length) {
      const got = `${subnetIds.length} subnets for ${availabilityZones.length} zones`;
      found.push(
        problem([...here, 'network', 'subnetIds'], got, 'one subnet for each availability zone, in the same order', 'List both in pairs.'),
      );
    }
    return found;
  });

const copiesGoElsewhere: DatabaseRule = ({ copyTo }, at, { regions }) => {
  if (regions === undefined) return [];
  const others = [regions.standby, regions.tertiary];
  const wanted = `Regions of this deployment other than the primary: ${others.join(', ')}`;
  const wrong = copyTo.flatMap((region, index) => {
    if (others.includes(region)) return [];
    const change =
      region === regions.primary ? 'Remove it: a copy beside the original is lost with it.' : 'Name a Region of this deployment.';
    return [problem([...at, 'copyTo', index], region, wanted, change)];
  });
  const twice = repeated(copyTo).map(({ value, index }) =>
    problem([...at, 'copyTo', index], value, 'each Region once', 'Remove the repetition.'),
  );
  return [...wrong, ...twice];
};

const replicaHasASite: DatabaseRule = ({ replica, sites }, at, { regions }) => {
  if (replica === undefined) return [];
  const path = [...at, 'replica', 'region'];
  if (replica.region === regions?.primary) {
    return [problem(path, replica.region, 'a Region other than the primary', 'Name the Region of the cross-Region replica.')];
  }
  if (sites[replica.region]) return [];
  const wanted = `a Region with a site (this database has: ${Object.keys(sites).join(', ') || 'none'})`;
  return [problem(path, replica.region, wanted, `Add sites['${replica.region}'] with the replica's identifier and network.`)];
};

const copiesOutliveTheHome: DatabaseRule = ({ copyTo, retention }, at) =>
  copyTo.length === 0 || retention.daily.copy >= retention.daily.home
    ? []
    : [
        problem(
          [...at, 'retention', 'daily', 'copy'],
          formatSeconds(retention.daily.copy),
          `at least retention.daily.home, which is ${formatSeconds(retention.daily.home)}`,
          'Raise copy: when the home Region is lost, the copies are all there is.',
        ),
      ];

/** A backup that is gone before the next one is there leaves times without any. */
const retentionSpansTheGap: DatabaseRule = (database, at, { timeZone }) => {
  if (timeZone === undefined) return [];
  const gap = longestBackupGapSeconds({ backups: { daily: database.backups.daily } }, timeZone);
  return (['home', 'copy'] as const)
    .filter((role) => database.retention.daily[role] < gap && (role === 'home' || database.copyTo.length > 0))
    .map((role) =>
      problem(
        [...at, 'retention', 'daily', role],
        formatSeconds(database.retention.daily[role]),
        `at least the longest wait between two of them: ${describeSchedule(database.backups.daily)} leaves ${formatSeconds(gap)}`,
        'Raise it, or back up more often.',
      ),
    );
};

/** Amazon RDS keeps automated backups for 1 to 35 days (RDS User Guide, "Backup retention period"); Aurora too. */
const logWindowExists: DatabaseRule = ({ pointInTime: { enabled, window } }, at) =>
  !enabled || (window >= 86_400 && window <= 35 * 86_400 && window % 86_400 === 0)
    ? []
    : [
        problem(
          [...at, 'pointInTime', 'window'],
          formatSeconds(window),
          'whole days, 1 to 35: what RDS and Aurora can keep',
          window > 35 * 86_400
            ? 'Write days(35) at most; older states come from the daily backups.'
            : 'Write days(1) or more, or enabled: false.',
        ),
      ];

const invariantNamesDiffer: DatabaseRule = ({ invariants }, at) =>
  repeated(invariants.map(({ name }) => name)).map(({ value, index }) =>
    problem(
      [...at, 'invariants', index, 'name'],
      value,
      'a name of its own for each invariant',
      'Rename it: verdicts list invariants by name.',
    ),
  );

/** V8's alarm must be able to stay quiet: a verified point of that age must exist when everything runs as planned. */
const verifiedPointCanExist: DatabaseRule = (database, at, { timeZone, verification }) => {
  if (timeZone === undefined || verification === undefined) return [];
  const gap = longestBackupGapSeconds(database, timeZone);
  const oldest = gap + snapshotCompletesSeconds + verification.restoreLimit;
  if (verification.maxAge >= oldest) return [];
  const names = backupSchedules(database).map(describeSchedule).join(' and ');
  const sum =
    `${names}: at most ${formatSeconds(gap)} between backups; + ${formatSeconds(snapshotCompletesSeconds)} to complete ` +
    `+ ${formatSeconds(verification.restoreLimit)} to verify (verification.restoreLimit) = ${formatSeconds(oldest)}`;
  return [
    problem(
      ['verification', 'maxAge'],
      formatSeconds(verification.maxAge),
      `at least ${formatSeconds(oldest)} for ${formatPath(at)} (${sum})`,
      'Raise verification.maxAge, lower verification.restoreLimit, or back up more often: as it is, the alarm rings although all is well.',
    ),
  ];
};

/** Row B9. */
const objectivesCanBeMet: DatabaseRule = (database, at, { timeZone }) => {
  if (timeZone === undefined) return [];
  return objectiveShortfalls(database, timeZone).map(({ fault, objectiveSeconds, arithmetic, change }) => {
    const key = fault === 'region-loss' && database.objectives.regionLossRpo !== undefined ? 'regionLossRpo' : 'rpo';
    return problem(
      [...at, 'objectives', key],
      formatSeconds(objectiveSeconds),
      `an objective that the backups can meet: ${arithmetic}`,
      change,
    );
  });
};

/** The copies' objective cannot be stricter than losing nothing but the database. */
const regionLossIsTheWiderObjective: DatabaseRule = ({ objectives }, at) =>
  objectives.regionLossRpo === undefined || objectives.regionLossRpo >= objectives.rpo
    ? []
    : [
        problem(
          [...at, 'objectives', 'regionLossRpo'],
          formatSeconds(objectiveFor('region-loss', objectives)),
          `at least objectives.rpo, which is ${formatSeconds(objectives.rpo)}`,
          'Leave regionLossRpo out when the loss of a Region has the same objective.',
        ),
      ];

/** What must hold between the parts of one database, and between it and the deployment. */
export const databaseRules: readonly DatabaseRule[] = [
  primaryHasASite,
  sitesFit,
  copiesGoElsewhere,
  replicaHasASite,
  copiesOutliveTheHome,
  retentionSpansTheGap,
  logWindowExists,
  invariantNamesDiffer,
  restoreMayTakeTheObjective,
  verifiedPointCanExist,
  regionLossIsTheWiderObjective,
  objectivesCanBeMet,
];
