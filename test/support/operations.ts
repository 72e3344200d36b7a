import { incidentDefaults } from '../../config/incident-defaults.ts';
import { commonAudit } from '../../config/profiles/common-audit.ts';
import { commonIncidents, severitiesNamed } from '../../config/profiles/common-incidents.ts';
import { days, hours, minutes, seconds } from '../../functions/common/duration.ts';
import { Operations } from '../../functions/common/operations.ts';
import { daily, monthly, quarterly, weekly } from '../../functions/common/schedule.ts';

const account = '111122223333';
const [primary, standby, tertiary] = ['us-east-1', 'us-west-2', 'eu-west-1'] as const;

const site = (region: string, identifier: string, digit: string, vpc: string) => ({
  identifier,
  secretArn: `arn:aws:secretsmanager:${region}:${account}:secret:${identifier}-codeblue-AbCdEf`,
  secretKeyArn: `arn:aws:kms:${region}:${account}:key/0000000${digit}-aaaa-4bbb-8ccc-000000000001`,
  storageKeyArn: `arn:aws:kms:${region}:${account}:key/0000000${digit}-aaaa-4bbb-8ccc-000000000002`,
  network: {
    vpcId: `vpc-0aaa000${vpc}`,
    availabilityZones: [`${region}a`, `${region}b`],
    subnetIds: [`subnet-0aaa000${digit}`, `subnet-0bbb000${digit}`],
    securityGroupId: `sg-0aaa000${digit}`,
  },
});

const contacts = {
  owner: { name: 'Platform team', email: 'platform@example.org' },
  onCall: { name: 'On call', email: 'oncall@example.org' },
  compliance: { name: 'Compliance', email: 'compliance@example.org' },
};
const severities = severitiesNamed(['P0', 'P1', 'P2', 'P3']);

const defaults: Operations = Operations.parse({
  name: 'hms',
  profile: 'hms',
  account,
  regions: { primary, standby, tertiary },
  timeZone: 'America/New_York',
  databases: [
    {
      id: 'hms',
      engine: 'rds-postgres',
      sites: { [primary]: site(primary, 'hms-primary', '1', '1'), [standby]: site(standby, 'hms-replica', '2', '2') },
      objectives: { rpo: minutes(15), rto: hours(1) },
      backups: { daily: daily('02:00'), 'six-hourly': daily('08:00', '14:00', '20:00') },
      copyTo: [standby],
      retention: {
        daily: { home: days(30), copy: days(90) },
        'six-hourly': { home: days(7), copy: days(7) },
        emergency: { home: days(30), copy: days(90) },
      },
      pointInTime: { enabled: true, window: days(1) },
      replica: { region: standby, lagAlarm: minutes(1) },
      invariants: [
        {
          name: 'orders-have-a-patient',
          says: 'Every order belongs to a patient.',
          sql: 'select o.id from orders o left join patients p on p.id = o.patient_id where p.id is null',
          tables: ['public.orders', 'public.patients'],
        },
      ],
    },
    {
      id: 'billing',
      engine: 'aurora-postgres',
      databaseNames: ['billing'],
      sites: { [primary]: site(primary, 'billing-cluster', '3', '1'), [standby]: site(standby, 'billing-secondary', '4', '2') },
      objectives: { rpo: hours(24), rto: hours(4) },
      backups: { daily: daily('03:00') },
      copyTo: [standby],
      retention: {
        daily: { home: days(30), copy: days(90) },
        'six-hourly': { home: days(7), copy: days(7) },
        emergency: { home: days(30), copy: days(90) },
      },
      pointInTime: { enabled: true, window: days(7) },
      replica: { region: standby, lagAlarm: minutes(1) },
      invariants: [],
    },
  ],
  verification: {
    pointInTime: weekly('sun', '05:00'),
    secondRegion: monthly(1, 'sat', '05:00'),
    maxAge: hours(30),
    restoreLimit: hours(4),
  },
  canary: { interval: minutes(1), keep: days(35) },
  vaultLock: { mode: 'simulate', minRetention: days(30), maxRetention: days(365), graceDays: 3, schedule: daily('04:00') },
  failover: {
    mode: 'approve',
    witness: 'us-east-2',
    lease: { length: seconds(20), margin: seconds(5), renewEvery: seconds(3) },
    observe: {
      every: seconds(5),
      timeout: seconds(2),
      voteMaxAge: seconds(30),
      failuresToTrip: 3,
      successesToClear: 6,
      dwell: seconds(30),
    },
    triggers: { criticalServicesUnhealthy: 2, regionUnreachable: true, databaseUnhealthy: true },
    coolDown: minutes(30),
    approvals: { by: ['alice', 'bob'], expireAfter: minutes(30) },
    services: ['patients', 'orders', 'imaging'].map((name) => ({
      name,
      critical: name !== 'imaging',
      health: { [primary]: `https://${name}.${primary}.example.org/health`, [standby]: `https://${name}.${standby}.example.org/health` },
    })),
    capacity: [
      {
        name: 'orders-api',
        kind: 'ecs-service',
        sites: { [primary]: 'hms/orders-api', [standby]: 'hms-standby/orders-api' },
        active: 4,
        standby: 2,
      },
    ],
    routing: {},
    objectives: { criticalServices: minutes(5), database: minutes(15), full: minutes(30) },
    drills: { rehearsal: monthly(2, 'sat', '03:00'), fullTest: quarterly(3, 'sat', '02:30') },
  },
  changeWindows: [{ name: 'Saturday night', opens: weekly('sat', '02:00'), lasts: hours(4) }],
  audit: commonAudit,
  incidents: incidentDefaults({ ...commonIncidents, severities }, contacts, 'America/New_York'),
  contacts,
  logRetentionDays: { application: 90, backup: 365, audit: 3653 },
});

/**
 * A complete, valid deployment for tests: an RDS database and an Aurora database, both with a replica in the standby
 * Region. Pass whole top-level fields to change it; the result is parsed, so a wrong override fails here.
 *
 * @example
 * const operations = testOperations({ verification: { ...testOperations().verification, maxAge: hours(6) } });
 */
export function testOperations(overrides: Partial<Operations> = {}): Operations {
  return Operations.parse({ ...defaults, ...overrides });
}
