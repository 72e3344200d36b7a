import { days, seconds } from '../../functions/common/duration.ts';
import { hospitalPack } from '../../functions/verify/hospital-pack.ts';
import { defineOperations } from '../define-operations.ts';

const account = '111122223333';

/**
 * A complete deployment by the AROCORD-HIMS plan: Aurora PostgreSQL in us-east-1 with a global-database secondary in
 * us-west-2. What differs from the profile (config/profiles/arocord.ts) is written here: a week of log instead of a day, and
 * a tighter lag alarm, since an Aurora global database normally lags less than a second.
 *
 * Replace the placeholders: the account, the ARNs, the network ids, the addresses, the contacts. `npx codeblue doctor` names each one left.
 */
export default defineOperations({
  name: 'arocord',
  profile: 'arocord',
  account,
  regions: { primary: 'us-east-1', standby: 'us-west-2', tertiary: 'eu-west-1' },
  databases: [
    {
      id: 'hims',
      engine: 'aurora-postgres',
      databaseNames: ['hims'],
      sites: {
        'us-east-1': {
          identifier: 'hims-cluster',
          secretArn: `arn:aws:secretsmanager:us-east-1:${account}:secret:hims/codeblue-AbCdEf`,
          storageKeyArn: `arn:aws:kms:us-east-1:${account}:key/00000000-0000-4000-8000-000000000001`,
          network: {
            vpcId: 'vpc-00000000000000001',
            availabilityZones: ['us-east-1a', 'us-east-1b'],
            subnetIds: ['subnet-00000000000000011', 'subnet-00000000000000012'],
            securityGroupId: 'sg-00000000000000001',
          },
        },
        'us-west-2': {
          identifier: 'hims-secondary',
          secretArn: `arn:aws:secretsmanager:us-west-2:${account}:secret:hims/codeblue-AbCdEf`,
          storageKeyArn: `arn:aws:kms:us-west-2:${account}:key/00000000-0000-4000-8000-000000000002`,
          network: {
            vpcId: 'vpc-00000000000000002',
            availabilityZones: ['us-west-2a', 'us-west-2b'],
            subnetIds: ['subnet-00000000000000021', 'subnet-00000000000000022'],
            securityGroupId: 'sg-00000000000000002',
          },
        },
      },
      copyTo: ['us-west-2', 'eu-west-1'],
      pointInTime: { window: days(7) },
      replica: { region: 'us-west-2', lagAlarm: seconds(10) },
      // Rules that every restored copy must keep. A rule whose tables are not in your schema is reported as not applicable.
      invariants: [...hospitalPack],
    },
  ],
  failover: {
    // Two people at least: nobody approves what they asked for.
    approvals: { by: [`arn:aws:iam::${account}:role/DatabaseTeam`, `arn:aws:iam::${account}:role/DevOps`] },
    services: ['api', 'records', 'scheduling', 'reports'].map((name) => ({
      name,
      critical: name !== 'reports',
      health: {
        'us-east-1': `https://${name}.us-east-1.clinic.example/health`,
        'us-west-2': `https://${name}.us-west-2.clinic.example/health`,
      },
    })),
    capacity: [
      {
        name: 'api',
        kind: 'ecs-service',
        sites: { 'us-east-1': 'hims/api', 'us-west-2': 'hims/api' },
        active: 4,
        standby: 1,
      },
    ],
    routing: {
      // Failover records that follow the lease; the zone ids of the targets are those of Elastic Load Balancing in each Region.
      dns: {
        hostedZoneId: 'Z00000000000000000000',
        recordName: 'hims.clinic.example',
        targets: {
          'us-east-1': { dnsName: 'hims-0000000000.us-east-1.elb.amazonaws.com', hostedZoneId: 'Z35SXDOTRQ7X7K' },
          'us-west-2': { dnsName: 'hims-0000000000.us-west-2.elb.amazonaws.com', hostedZoneId: 'Z1H1FL5HABSF5' },
        },
      },
    },
  },
  contacts: {
    owner: { name: 'DevOps team', email: 'devops@clinic.example' },
    onCall: { name: 'Database team on call', email: 'dba@clinic.example' },
    compliance: { name: 'Compliance officer', email: 'compliance@clinic.example' },
  },
});
