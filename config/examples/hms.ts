import { hours, minutes } from '../../functions/common/duration.ts';
import { hospitalPack } from '../../functions/verify/hospital-pack.ts';
import { defineOperations } from '../define-operations.ts';

const account = '111122223333';

/**
 * A complete deployment by the HMS manual: RDS PostgreSQL in us-east-1 with a cross-Region replica in us-west-2, copies in
 * both other Regions. Objectives, schedules, retention and time zone come from the profile (config/profiles/hms.ts).
 *
 * Replace the placeholders: the account, the ARNs, the network ids, the addresses, the contacts. `npx codeblue doctor` names each one left.
 */
export default defineOperations({
  name: 'hms',
  profile: 'hms',
  account,
  regions: { primary: 'us-east-1', standby: 'us-west-2', tertiary: 'eu-west-1' },
  databases: [
    {
      id: 'hms',
      engine: 'rds-postgres',
      databaseNames: ['hms'],
      sites: {
        'us-east-1': {
          identifier: 'hms-primary',
          secretArn: `arn:aws:secretsmanager:us-east-1:${account}:secret:hms/codeblue-AbCdEf`,
          storageKeyArn: `arn:aws:kms:us-east-1:${account}:key/00000000-0000-4000-8000-000000000001`,
          network: {
            vpcId: 'vpc-00000000000000001',
            availabilityZones: ['us-east-1a', 'us-east-1b'],
            subnetIds: ['subnet-00000000000000011', 'subnet-00000000000000012'],
            securityGroupId: 'sg-00000000000000001',
          },
          // What 85 % of its memory, 90 % of its disk and 80 % of its connections are.
          limits: { memoryGigabytes: 32, storageGigabytes: 500, maxConnections: 1000 },
        },
        'us-west-2': {
          identifier: 'hms-replica',
          secretArn: `arn:aws:secretsmanager:us-west-2:${account}:secret:hms/codeblue-AbCdEf`,
          storageKeyArn: `arn:aws:kms:us-west-2:${account}:key/00000000-0000-4000-8000-000000000002`,
          network: {
            vpcId: 'vpc-00000000000000002',
            availabilityZones: ['us-west-2a', 'us-west-2b'],
            subnetIds: ['subnet-00000000000000021', 'subnet-00000000000000022'],
            securityGroupId: 'sg-00000000000000002',
          },
          // What 85 % of its memory, 90 % of its disk and 80 % of its connections are.
          limits: { memoryGigabytes: 32, storageGigabytes: 500, maxConnections: 1000 },
        },
      },
      copyTo: ['us-west-2', 'eu-west-1'],
      replica: { region: 'us-west-2' },
      // Rules that every restored copy must keep. A rule whose tables are not in your schema is reported as not applicable.
      invariants: [...hospitalPack],
    },
  ],
  failover: {
    // Two people at least: nobody approves what they asked for.
    approvals: { by: [`arn:aws:iam::${account}:role/OnCall`, `arn:aws:iam::${account}:role/IncidentCommander`] },
    // "critical_services_unhealthy >= 3": three of these at once.
    services: ['patients', 'appointments', 'prescriptions', 'laboratory', 'billing'].map((name) => ({
      name,
      critical: name !== 'billing',
      health: {
        'us-east-1': `https://${name}.us-east-1.hospital.example/health`,
        'us-west-2': `https://${name}.us-west-2.hospital.example/health`,
      },
    })),
    // The hot standby runs at 50 %, and is brought to full strength when it takes over.
    capacity: [
      {
        name: 'portal',
        kind: 'ecs-service',
        sites: { 'us-east-1': 'hms/portal', 'us-west-2': 'hms/portal' },
        active: 8,
        standby: 4,
      },
      {
        name: 'workers',
        kind: 'auto-scaling-group',
        sites: { 'us-east-1': 'hms-workers', 'us-west-2': 'hms-workers' },
        active: 4,
        standby: 2,
      },
    ],
    routing: {
      // Failover records that follow the lease; the zone ids of the targets are those of Elastic Load Balancing in each Region.
      dns: {
        hostedZoneId: 'Z00000000000000000000',
        recordName: 'portal.hospital.example',
        targets: {
          'us-east-1': { dnsName: 'portal-0000000000.us-east-1.elb.amazonaws.com', hostedZoneId: 'Z35SXDOTRQ7X7K' },
          'us-west-2': { dnsName: 'portal-0000000000.us-west-2.elb.amazonaws.com', hostedZoneId: 'Z1H1FL5HABSF5' },
        },
      },
    },
  },
  incidents: {
    // What may be tried before a person is at a screen. Each is tried again on its own for another incident only, and says on the incident what it did.
    runbooks: [
      {
        id: 'restart-portal',
        alarm: 'ServiceDown',
        subject: 'portal',
        action: { kind: 'restart-service', capacity: 'portal' },
        guard: { when: 'anytime', tries: 2, per: hours(6), approval: false },
        helpsWithin: minutes(10),
      },
      {
        id: 'enlarge-hms',
        alarm: 'DiskFull',
        action: { kind: 'enlarge-storage', database: 'hms', byPercent: 20, atMostGigabytes: 1000 },
        guard: { when: 'anytime', tries: 1, per: hours(24), approval: true },
        helpsWithin: minutes(30),
      },
    ],
    // Error rate and response time by the load balancer, failed logins by a metric that the application writes (one count for each).
    monitored: [
      {
        id: 'portal',
        loadBalancer: {
          'us-east-1': { name: 'app/portal/0000000000000000', targetGroup: 'targetgroup/portal/0000000000000000' },
          'us-west-2': { name: 'app/portal/0000000000000000', targetGroup: 'targetgroup/portal/0000000000000000' },
        },
        metrics: [
          {
            alarm: 'FailedLogins',
            sites: {
              'us-east-1': { namespace: 'HMS', metric: 'FailedLogins', dimensions: {} },
              'us-west-2': { namespace: 'HMS', metric: 'FailedLogins', dimensions: {} },
            },
            inMilliseconds: false,
          },
        ],
      },
    ],
  },
  contacts: {
    owner: { name: 'IT operations', email: 'it-operations@hospital.example' },
    onCall: { name: 'Operations on call', email: 'ops@hospital.example' },
    compliance: { name: 'Compliance officer', email: 'compliance@hospital.example' },
  },
});
