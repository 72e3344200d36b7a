import { hospitalPack } from '../../functions/verify/hospital-pack.ts';
import { defineOperations } from '../define-operations.ts';

const account = '111122223333';

/**
 * A complete deployment by the HMS manual: RDS PostgreSQL in us-east-1 with a cross-Region replica in us-west-2, copies in
 * both other Regions. Objectives, schedules, retention and time zone come from the profile (config/profiles/hms.ts).
 *
 * Replace the placeholders: the account, the ARNs, the network ids, the contacts. `npx codeblue doctor` names each one left.
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
        },
      },
      copyTo: ['us-west-2', 'eu-west-1'],
      replica: { region: 'us-west-2' },
      // Rules that every restored copy must keep. A rule whose tables are not in your schema is reported as not applicable.
      invariants: [...hospitalPack],
    },
  ],
  contacts: {
    owner: { name: 'IT operations', email: 'it-operations@hospital.example' },
    onCall: { name: 'Operations on call', email: 'ops@hospital.example' },
    compliance: { name: 'Compliance officer', email: 'compliance@hospital.example' },
  },
});
