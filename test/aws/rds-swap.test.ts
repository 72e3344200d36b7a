import { RDSClient } from '@aws-sdk/client-rds';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { databasesPort } from '../../functions/aws/databases.ts';
import type { Connect } from '../../functions/aws/replica-kind.ts';
import { replicasPort } from '../../functions/aws/replicas.ts';
import { doesNotExpire } from '../../functions/backup/models.ts';
import { orphanRestores } from '../../functions/backup/orphans.ts';
import { type CodeblueError, InvalidInput, NotFound, NotOwned, ServiceUnavailable } from '../../functions/common/errors.ts';
import { DatabaseId, Region } from '../../functions/common/ids.ts';
import { Epoch } from '../../functions/failover/models.ts';
import type { ReplicaState } from '../../functions/failover/ports.ts';
import { awsSettings } from '../support/aws-settings.ts';
import { modelledRds } from '../support/modelled-rds.ts';
import { testOperations } from '../support/operations.ts';

const rds = mockClient(RDSClient);
const secrets = mockClient(SecretsManagerClient);
const databaseId = DatabaseId.parse('hms');
const region = Region.parse('us-east-1');
const restoredId = 'cbv-hms-20261121t065000z-recovery';
const copyRef = { databaseId, region, restoredId };
const swapRef = { ...copyRef, epoch: Epoch.parse(8) };
const arnOf = (id: string) => `arn:aws:rds:us-east-1:111122223333:db:${id}`;

const live = {
  DBInstanceIdentifier: 'hms-primary',
  DBInstanceArn: arnOf('hms-primary'),
  DbiResourceId: 'db-DAMAGED',
  DBInstanceStatus: 'available',
  DBInstanceClass: 'db.r6g.2xlarge',
  DBSubnetGroup: { DBSubnetGroupName: 'production', VpcId: 'vpc-0live' },
  VpcSecurityGroups: [{ VpcSecurityGroupId: 'sg-0database', Status: 'active' }],
  DBParameterGroups: [{ DBParameterGroupName: 'hms-pg16', ParameterApplyStatus: 'in-sync' }],
  BackupRetentionPeriod: 14,
  PreferredBackupWindow: '03:00-03:30',
  PreferredMaintenanceWindow: 'sun:05:00-sun:05:30',
  MultiAZ: true,
  StorageType: 'io1',
  Iops: 12_000,
  AllocatedStorage: 500,
  EnabledCloudwatchLogsExports: ['postgresql'],
  IAMDatabaseAuthenticationEnabled: true,
  DeletionProtection: true,
  MasterUsername: 'postgres',
  Endpoint: { Address: 'hms-primary.rds', Port: 5432 },
};
const copy = {
  DBInstanceIdentifier: restoredId,
  DBInstanceArn: arnOf(restoredId),
  DbiResourceId: 'db-RESTORED',
  DBInstanceStatus: 'available',
  DBInstanceClass: 'db.r6g.large',
  DBSubnetGroup: { DBSubnetGroupName: 'isolated', VpcId: 'vpc-0isolated' },
  VpcSecurityGroups: [{ VpcSecurityGroupId: 'sg-0isolated', Status: 'active' }],
  DBParameterGroups: [{ DBParameterGroupName: 'default.postgres16', ParameterApplyStatus: 'in-sync' }],
  BackupRetentionPeriod: 0,
  PreferredBackupWindow: '09:00-09:30',
  PreferredMaintenanceWindow: 'tue:03:10-tue:03:40',
  MultiAZ: false,
  StorageType: 'gp3',
  AllocatedStorage: 500,
  DeletionProtection: false,
  MasterUsername: 'postgres',
  MasterUserSecret: { SecretArn: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:rds!db-2', SecretStatus: 'active' },
  Endpoint: { Address: 'copy.rds', Port: 5432 },
  TagList: [
    { Key: 'codeblue:owner', Value: 'hms' },
    { Key: 'codeblue:database', Value: 'hms' },
    { Key: 'codeblue:expires', Value: '2026-11-21T06:59:00.000Z' },
  ],
};

const opened: string[] = [];
const letsEverybodyIn: Connect = ({ host, user }) => ({
  connect: async (name) => {
    opened.push(`${user}@${host}/${name}`);
    return { query: async () => [], close: async () => {} };
  },
});
const replicas = replicasPort(awsSettings(), letsEverybodyIn);
const databases = databasesPort(awsSettings());

/** Calls until it tells `available`, as steps do: what may pass is asked again. */
async function until(call: () => Promise<ReplicaState>, model: { tick(): void }): Promise<void> {
  for (let calls = 0; calls < 120; calls++) {
    const state = await call().catch((error: unknown) => {
      if (error instanceof ServiceUnavailable) return undefined;
      throw error;
    });
    if (state?.role === 'primary' && state.status === 'available') return;
    expect(state?.status).not.toBe('failed');
    if (calls % 3 === 2) model.tick(); // each change is looked at while it is pending, and while it is under way
  }
  throw new Error('it does not come to an end');
}
const prepare = (model: { tick(): void }) => until(() => replicas.prepareSwap(copyRef), model);
const swapIn = (model: { tick(): void }) => until(() => replicas.swapIn(swapRef), model);

const fresh = () => {
  rds.reset();
  return modelledRds(rds, [live, copy]);
};

beforeEach(() => {
  opened.length = 0;
  secrets.reset();
  secrets.on(GetSecretValueCommand).resolves({ SecretString: '{"username":"codeblue","password":"of-today"}' });
});

describe('a restored copy of an RDS instance', () => {
  it('is taken from expiry first, and is not touched otherwise before that is so', async () => {
    const model = fresh();
    await replicas.prepareSwap(copyRef);
    expect(model.calls).toEqual([`tag ${restoredId} codeblue:stands-in`, `untag ${restoredId} codeblue:expires`]);
    expect((await databases.describeRestored(copyRef))?.expiresAt).toEqual(doesNotExpire);
  });

  it('becomes like the live one, which is not touched', async () => {
    const model = fresh();
    await prepare(model);
    const { TagList, ...rest } = model.instance(restoredId);
    expect(rest).toMatchObject({
      DBInstanceClass: 'db.r6g.2xlarge',
      DBSubnetGroup: { DBSubnetGroupName: 'production' },
      VpcSecurityGroups: [{ VpcSecurityGroupId: 'sg-0database' }],
      DBParameterGroups: [{ DBParameterGroupName: 'hms-pg16', ParameterApplyStatus: 'in-sync' }],
      BackupRetentionPeriod: 14,
      PreferredBackupWindow: '03:00-03:30',
      PreferredMaintenanceWindow: 'sun:05:00-sun:05:30',
      MultiAZ: true,
      StorageType: 'io1',
      Iops: 12_000,
      EnabledCloudwatchLogsExports: ['postgresql'],
      IAMDatabaseAuthenticationEnabled: true,
      DeletionProtection: false, // whoever gives the recovery up can remove it
    });
    expect((TagList ?? []).map(({ Key }) => Key)).not.toContain('codeblue:expires');
    expect(model.instance('hms-primary')).toEqual(live);
    expect([...new Set(model.calls)]).toEqual(model.calls); // nothing is asked for twice
    expect(opened).toEqual(['codeblue@copy.rds/postgres']);
    expect(model.refused).toEqual([]);
  });

  it('once it is fit is only looked at', async () => {
    const model = fresh();
    await prepare(model);
    const before = model.calls.length;
    model.change('hms-primary', { DBInstanceClass: 'db.r6g.4xlarge' });
    expect(await replicas.prepareSwap(copyRef)).toMatchObject({ role: 'primary', status: 'available' });
    expect(model.calls.length).toBe(before);
  });

  it('takes the live name; the damaged one is kept under its own', async () => {
    const model = fresh();
    await prepare(model);
    const before = model.calls.length;
    await swapIn(model);
    expect(model.names()).toEqual(['hms-primary-damaged-8=db-DAMAGED', 'hms-primary=db-RESTORED']);
    expect(model.instance('hms-primary').DeletionProtection).toBe(true);
    expect(model.instance('hms-primary-damaged-8').TagList).toContainEqual({ Key: 'codeblue:kept-aside', Value: '8' });
    expect(model.calls.slice(before)).toEqual([
      `modify ${restoredId} DeletionProtection`,
      'tag hms-primary codeblue:owner,codeblue:database,codeblue:kept-aside',
      'modify hms-primary DeletionProtection,NewDBInstanceIdentifier',
      `modify ${restoredId} DeletionProtection,NewDBInstanceIdentifier`,
    ]);
    expect(model.refused).toEqual([]);
  });

  it('under the live name is no restored copy any more, nor is the damaged one', async () => {
    const model = fresh();
    await prepare(model);
    await swapIn(model);
    for (const id of ['hms-primary', 'hms-primary-damaged-8']) {
      expect(await databases.describeRestored({ region, restoredId: id })).toBeUndefined();
      await expect(databases.removeRestored({ region, restoredId: id })).rejects.toThrow(NotOwned);
    }
    await databases.removeRestored(copyRef);
    expect(model.names()).toEqual(['hms-primary-damaged-8=db-DAMAGED', 'hms-primary=db-RESTORED']);
  });

  it('is swept by nobody from the first call on, and expired it has long', async () => {
    const model = fresh();
    const swept = async () => orphanRestores(await databases.listRestored(region), new Date('2026-11-21T07:00:00Z')).map(({ id }) => id);
    expect(await swept()).toEqual([restoredId]);
    const unswept = async (call: () => Promise<ReplicaState>) => {
      const state = await call();
      expect(await swept()).toEqual([]);
      return state;
    };
    await until(() => unswept(() => replicas.prepareSwap(copyRef)), model);
    await until(() => unswept(() => replicas.swapIn(swapRef)), model);
  });

  it.each([false, true])('cut off at any call (done: %s) and called again comes to the same end', async (done) => {
    const whole = fresh();
    await prepare(whole);
    await swapIn(whole);
    const ends = { names: whole.names(), live: { ...whole.instance('hms-primary'), TagList: [] } };
    for (let call = 1; call <= whole.calls.length; call++) {
      const model = fresh();
      model.cutOff(call, done);
      await prepare(model);
      await swapIn(model);
      expect({ call, names: model.names(), live: { ...model.instance('hms-primary'), TagList: [] } }).toEqual({ call, ...ends });
      expect({ call, refused: model.refused }).toEqual({ call, refused: [] });
    }
    expect(whole.calls.length).toBeGreaterThan(8);
  });
});

describe('no exchange', () => {
  const refusedBy = async (
    error: new (message: string) => CodeblueError,
    call: () => Promise<unknown>,
    model: ReturnType<typeof fresh>,
  ) => {
    const before = [...model.calls];
    await expect(call()).rejects.toThrow(error);
    expect(model.calls).toEqual(before);
  };
  const prepareNow = () => replicas.prepareSwap(copyRef);

  it('with a copy that is not there, or not prepared', async () => {
    const model = fresh();
    await refusedBy(InvalidInput, () => replicas.swapIn(swapRef), model);
    await refusedBy(NotFound, () => replicas.swapIn({ ...swapRef, restoredId: 'cbv-none' }), model);
    await refusedBy(NotFound, () => replicas.prepareSwap({ ...copyRef, restoredId: 'cbv-none' }), model);
  });

  it.each([
    ["another deployment's", { Key: 'codeblue:owner', Value: 'somebody' }],
    ["another database's", { Key: 'codeblue:database', Value: 'billing' }],
  ])('with %s copy', async (_, tag) => {
    const model = fresh();
    model.change(restoredId, { TagList: [...copy.TagList.filter(({ Key }) => Key !== tag.Key), tag] });
    await refusedBy(NotOwned, prepareNow, model);
    await refusedBy(NotOwned, () => replicas.swapIn(swapRef), model);
  });

  it('with an instance of ours that was not restored for it: an old primary that was kept', async () => {
    const model = fresh();
    model.change(restoredId, { TagList: [...copy.TagList.slice(0, 2), { Key: 'codeblue:kept-aside', Value: '7' }] });
    await refusedBy(NotOwned, prepareNow, model);
  });

  it('with a rehearsal, which follows a primary', async () => {
    const model = fresh();
    model.change(restoredId, { ReadReplicaSourceDBInstanceIdentifier: 'hms-primary' });
    await refusedBy(NotOwned, prepareNow, model);
  });

  it('of a read replica, of an instance that RDS does not rename, and of one whose master Codeblue is', async () => {
    for (const change of [
      { ReadReplicaSourceDBInstanceIdentifier: 'hms-other' },
      { DBInstanceStatus: 'stopped' },
      { MasterUserSecret: { SecretArn: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:hms-primary-codeblue-AbCdEf' } },
    ]) {
      const model = fresh();
      model.change('hms-primary', change);
      await refusedBy(InvalidInput, prepareNow, model);
    }
  });

  it('of an instance whose name leaves no room for the one that it is to be kept under', async () => {
    const [hms, ...rest] = testOperations().databases;
    const site = hms?.sites[region];
    if (!hms || !site) throw new Error('the test deployment has hms in its primary Region');
    const identifier = 'h'.repeat(49);
    const named = testOperations({ databases: [{ ...hms, sites: { ...hms.sites, [region]: { ...site, identifier } } }, ...rest] });
    rds.reset();
    const model = modelledRds(rds, [{ ...live, DBInstanceIdentifier: identifier }, copy]);
    await refusedBy(InvalidInput, () => replicasPort(awsSettings(named), letsEverybodyIn).prepareSwap(copyRef), model);
  });

  it('of an Aurora cluster of a global database; the hint says how it is done by hand', async () => {
    const request = { ...copyRef, databaseId: DatabaseId.parse('billing') };
    const refused = await replicas.prepareSwap(request).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(InvalidInput);
    expect(refused).toHaveProperty('hint', expect.stringContaining('remove the secondary'));
    await expect(replicas.swapIn({ ...request, epoch: Epoch.parse(8) })).rejects.toThrow(InvalidInput);
  });

  it('with a copy that failed or is being removed, and the live one stays', async () => {
    const model = fresh();
    await prepare(model);
    const before = model.calls.length;
    for (const DBInstanceStatus of ['deleting', 'failed']) {
      model.change(restoredId, { DBInstanceStatus });
      expect(await replicas.swapIn(swapRef)).toMatchObject({ status: 'failed' });
      expect(await replicas.prepareSwap(copyRef)).toMatchObject({ status: 'failed' });
    }
    expect(model.calls.length).toBe(before);
    expect(model.names()).toContain('hms-primary=db-DAMAGED');
  });

  it('where somebody else took the name in the meantime', async () => {
    const model = fresh();
    await prepare(model);
    await replicas.swapIn(swapRef);
    await replicas.swapIn(swapRef);
    model.tick();
    model.tick();
    expect(model.names()).toContain('hms-primary-damaged-8=db-DAMAGED');
    rds.reset();
    const kept = [model.instance('hms-primary-damaged-8'), model.instance(restoredId)].map((each) => ({
      ...each,
      DbiResourceId: each.DbiResourceId ?? '',
    }));
    const other = modelledRds(rds, [...kept, { ...live, DbiResourceId: 'db-OTHER' }]);
    await refusedBy(InvalidInput, () => replicas.swapIn(swapRef), other);
  });
});

describe('the credentials of the config', () => {
  /** A server that knows passwords by user, and what was asked of it. */
  function knowing(passwords: Record<string, string>, roles = Object.keys(passwords)) {
    const asked: string[] = [];
    const connect: Connect = ({ user, password }) => ({
      connect: async () => {
        const { SqlFailed } = await import('../../functions/common/sql-failed.ts');
        if (passwords[user] !== password) throw new SqlFailed('28P01', 'password authentication failed');
        return {
          query: async (text, values) => {
            asked.push(text);
            if (text.startsWith('select')) return roles.includes(String(values?.[0])) ? [{ role: `"${values?.[0]}"` }] : [];
            passwords.codeblue = 'of-today';
            return [];
          },
          close: async () => {},
        };
      },
    });
    return { asked, port: replicasPort(awsSettings(), connect) };
  }
  const managed = { SecretId: copy.MasterUserSecret.SecretArn };
  const prepareWith = (port: typeof replicas, model: { tick(): void }) => until(() => port.prepareSwap(copyRef), model);

  it('open the copy although they were changed since the moment that it shows', async () => {
    secrets.on(GetSecretValueCommand, managed).resolves({ SecretString: '{"username":"postgres","password":"made"}' });
    const { asked, port } = knowing({ codeblue: 'of-yesterday', postgres: 'made' });
    await prepareWith(port, fresh());
    expect(asked[1]).toMatch(/^alter role "codeblue" password 'SCRAM-SHA-256\$4096:[\w+/=]+\$[\w+/=]+:[\w+/=]+'$/);
    expect(asked.join()).not.toContain('of-today');
  });

  it('of a role that was not there at that moment are refused', async () => {
    secrets.on(GetSecretValueCommand, managed).resolves({ SecretString: '{"username":"postgres","password":"made"}' });
    const { port } = knowing({ postgres: 'made' });
    await expect(prepareWith(port, fresh())).rejects.toThrow(/no role codeblue/);
  });

  it('that are those of the master become those of the copy', async () => {
    secrets.on(GetSecretValueCommand).resolves({ SecretString: '{"username":"postgres","password":"of-today"}' });
    const passwords = { postgres: 'made' };
    const { port } = knowing(passwords);
    const model = fresh();
    await until(async () => {
      const state = await port.prepareSwap(copyRef);
      if (model.calls.some((call) => call.includes('MasterUserPassword'))) passwords.postgres = 'of-today';
      return state;
    }, model);
    expect(model.calls).toContain(`modify ${restoredId} ManageMasterUserPassword,MasterUserPassword`);
  });
});
