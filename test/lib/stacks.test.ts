import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { InvalidInput } from '../../functions/common/errors.ts';
import { tasks } from '../../functions/tasks.ts';
import { testOperations } from '../support/operations.ts';
import { resourcesOf, type SynthesizedApp, synthesizedApp } from '../support/synthesized-app.ts';

const synthesized = synthesizedApp();
const { operations } = synthesized;
const { primary, standby, tertiary } = operations.regions;
const everyRegion = [primary, standby, tertiary];
const properties = (region: string, type: string) =>
  resourcesOf(synthesized.template(region), type).map(([, resource]) => resource.Properties);
const reference = (value: unknown): string => z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }).parse(value)['Fn::GetAtt'][0];

describe('every Region', () => {
  test('each stack stays within what CloudFormation takes: 500 resources, 1 MB', () => {
    expect(synthesized.stacks.length).toBeGreaterThan(everyRegion.length); // machines of failover are nested
    for (const { template } of synthesized.stacks) {
      expect(Object.keys(template.Resources).length).toBeLessThan(500);
      expect(JSON.stringify(template).length).toBeLessThan(1_000_000);
    }
  });

  test('no stack reads another: Regions know each other by name', () => {
    for (const region of everyRegion) expect(JSON.stringify(synthesized.template(region))).not.toContain('Fn::ImportValue');
  });

  test('the primary comes after the Regions that its tables and proofs replicate to, and the copy that the ring of logs begins with before all', () => {
    const order = synthesized.app.synth().stacks.map(({ stackName, environment }) => [stackName, environment.region]);
    expect(order).toEqual([
      [`Hms-Codeblue-${primary}-log-copy`, primary],
      ...[tertiary, standby, primary].map((region) => [`Hms-Codeblue-${region}`, region]),
    ]);
  });

  test('what S3 replicates to is there before: a bucket of a stack that is deployed earlier', () => {
    const stacks = synthesized.app.synth().stacks.map(({ stackName }) => stackName);
    const rank = (bucketName: string) =>
      synthesized.stacks
        .filter(({ template }) =>
          resourcesOf(template, 'AWS::S3::Bucket').some(([, { Properties }]) => Properties.BucketName === bucketName),
        )
        .map(({ stackName }) => stacks.indexOf(stackName));
    const replications = synthesized.stacks.flatMap(({ template, stackName }) =>
      resourcesOf(template, 'AWS::S3::Bucket').flatMap(([, { Properties }]) =>
        [...JSON.stringify(Properties.ReplicationConfiguration ?? '').matchAll(/:s3:::([a-z0-9-]+)/g)].map(([, to = '']) => ({
          from: stackName,
          to,
        })),
      ),
    );
    expect(new Set(replications.map(({ to }) => to)).size).toBe(3 + 2); // three logs, the evidence of two Regions
    for (const { from, to } of replications) {
      const [at = Number.POSITIVE_INFINITY, ...more] = rank(to);
      expect({ to, more, before: at < stacks.indexOf(from) }).toEqual({ to, more: [], before: true });
    }
  });

  test.each(everyRegion)('%s: logs are encrypted with our key and end some day', (region) => {
    for (const { KmsKeyId, RetentionInDays } of properties(region, 'AWS::Logs::LogGroup')) {
      expect(KmsKeyId).toBeDefined();
      expect(RetentionInDays).toBeGreaterThan(0);
    }
  });

  test.each(everyRegion)('%s: what outlives the stack is kept when the stack goes', (region) => {
    const kept = ['AWS::KMS::Key', 'AWS::S3::Bucket', 'AWS::DynamoDB::GlobalTable', 'AWS::Backup::BackupVault', 'AWS::Logs::LogGroup'];
    const lost = Object.entries(synthesized.template(region).Resources).filter(
      ([, { Type, DeletionPolicy }]) => kept.includes(Type) && DeletionPolicy !== 'Retain',
    );
    expect(lost.map(([id]) => id)).toEqual([]);
  });
});

test('every function is traced, runs on Node 24 and ARM, and knows which operation and which code it is', () => {
  const ours = everyRegion
    .flatMap((region) => properties(region, 'AWS::Lambda::Function'))
    .filter(({ FunctionName }) => FunctionName !== undefined && FunctionName !== 'hms-codeblue-lease-endpoint');
  expect(ours.length).toBeGreaterThan(50);
  for (const each of ours) {
    expect(each).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      TracingConfig: { Mode: 'Active' },
      Environment: { Variables: { CODEBLUE_OPERATION: expect.any(String), CODE_SHA256: '0'.repeat(64) } },
    });
  }
});

const logTable = 'hms-codeblue-audit-log';

describe('state', () => {
  const Replica = z.object({
    Region: z.string(),
    DeletionProtectionEnabled: z.literal(true),
    PointInTimeRecoverySpecification: z.object({ PointInTimeRecoveryEnabled: z.literal(true) }),
    SSESpecification: z.object({ KMSMasterKeyId: z.unknown() }),
  });

  test('both tables have a replica in every Region, each under its own key, with point-in-time recovery and deletion protection', () => {
    const tables = properties(primary, 'AWS::DynamoDB::GlobalTable').filter(
      ({ MultiRegionConsistency, TableName }) => MultiRegionConsistency === undefined && TableName !== logTable,
    );
    expect(tables.map(({ TableName }) => TableName)).toEqual(['hms-codeblue-state', 'hms-codeblue-audit-events']);
    for (const { Replicas } of tables) {
      const replicas = z.array(Replica).parse(Replicas);
      expect(replicas.map(({ Region }) => Region).sort()).toEqual([...everyRegion].sort());
      const keyIn = (region: string) => replicas.find(({ Region }) => Region === region)?.SSESpecification.KMSMasterKeyId;
      expect(keyIn(standby)).toBe(`arn:aws:kms:${standby}:111122223333:alias/hms-codeblue-state`);
      expect(keyIn(primary)).toEqual({ 'Fn::GetAtt': [expect.any(String), 'Arn'] });
    }
  });

  test('who leads is kept with strong consistency: a replica where a Region can lead, a witness in a third', () => {
    const [table] = properties(primary, 'AWS::DynamoDB::GlobalTable').filter(
      ({ MultiRegionConsistency }) => MultiRegionConsistency === 'STRONG',
    );
    expect(table).toMatchObject({
      TableName: 'hms-codeblue-coordination',
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      GlobalTableWitnesses: [{ Region: operations.failover.witness }],
    });
    const replicas = z.array(Replica).parse(table?.Replicas);
    expect(replicas.map(({ Region }) => Region).sort()).toEqual([primary, standby].sort());
  });

  test('the other Regions make no table but that of their own log', () => {
    const made = [standby, tertiary].flatMap((region) => properties(region, 'AWS::DynamoDB::GlobalTable'));
    expect(made.map(({ TableName }) => TableName)).toEqual([logTable, logTable]);
  });
});

describe('schedules', () => {
  const Schedule = z.object({
    ScheduleExpression: z.string(),
    ScheduleExpressionTimezone: z.string(),
    FlexibleTimeWindow: z.object({ Mode: z.literal('OFF') }),
    State: z.literal('ENABLED').default('ENABLED'),
    Target: z.object({
      Arn: z.unknown(),
      Input: z.string(),
      DeadLetterConfig: z.object({ Arn: z.unknown() }),
      RetryPolicy: z.object({ MaximumEventAgeInSeconds: z.literal(3600), MaximumRetryAttempts: z.literal(20) }),
    }),
  });
  const schedules = properties(primary, 'AWS::Scheduler::Schedule').map((each) => Schedule.parse(each));
  const operationOf = (arn: unknown): string => {
    const { Properties } = synthesized.template(primary).Resources[reference(arn)] ?? { Properties: {} };
    return z.object({ Environment: z.object({ Variables: z.object({ CODEBLUE_OPERATION: z.string() }) }) }).parse(Properties).Environment
      .Variables.CODEBLUE_OPERATION;
  };

  test.each(tasks.map((task) => [task.name, task] as const))('%s has all its runs, exact, with a dead-letter queue', (name, task) => {
    const runs = task.schedules(operations);
    const ours = schedules.filter(({ Target }) => operationOf(Target.Arn) === name);
    const inputs = ours.map(({ Target }) => JSON.parse(Target.Input));
    expect(new Set(inputs.map(({ key }) => key))).toEqual(new Set(runs.map((run) => run.key)));
    for (const { Target } of ours) {
      const { key, scheduledAt, input } = JSON.parse(Target.Input);
      expect(scheduledAt).toBe('<aws.scheduler.scheduled-time>');
      expect(input).toEqual(runs.find((run) => run.key === key)?.input);
      expect(reference(Target.DeadLetterConfig.Arn)).toMatch(/DeadLetters/);
    }
  });

  test('local times are in the zone of the deployment, intervals in UTC', () => {
    const daily = schedules.find(({ Target }) => JSON.parse(Target.Input).key === 'hms/daily');
    expect(daily).toMatchObject({ ScheduleExpression: 'cron(0 2 * * ? *)', ScheduleExpressionTimezone: 'America/New_York' });
    const hourly = schedules.find(({ Target }) => operationOf(Target.Arn) === 'sweep-orphans');
    expect(hourly).toMatchObject({ ScheduleExpression: 'cron(0 */1 * * ? *)', ScheduleExpressionTimezone: 'UTC' });
  });
});

describe('the replica', () => {
  const alarmsOn = (app: typeof synthesized, word: string) =>
    everyRegion.flatMap((region) =>
      resourcesOf(app.template(region), 'AWS::CloudWatch::Alarm')
        .map(([, { Properties }]) => Alarm.parse(Properties))
        .filter(({ AlarmName }) => AlarmName.includes(word))
        .map(({ TreatMissingData }) => [region, TreatMissingData] as const),
    );
  const Alarm = z.object({ AlarmName: z.string(), TreatMissingData: z.string() });

  test('is watched where it is, and rings when it is silent, while the lead stays where it is', () => {
    const still = synthesizedApp(testOperations({ failover: { ...operations.failover, mode: 'off' } }));
    expect(alarmsOn(still, 'ReplicaLagging-hms')).toEqual([[standby, 'breaching']]);
    expect(alarmsOn(still, 'ReplicaMissing')).toEqual([]);
  });

  test('is watched on both sides where the lead moves: by its lag where it is, by the primary where it is missing', () => {
    const both = [
      [primary, 'notBreaching'],
      [standby, 'notBreaching'],
    ];
    expect(alarmsOn(synthesized, 'ReplicaLagging-hms')).toEqual(both);
    expect(alarmsOn(synthesized, 'ReplicaMissing-hms')).toEqual(both);
    // A secondary of Aurora is not known to its primary: the configured Region's silence has to do.
    expect(alarmsOn(synthesized, 'ReplicaLagging-billing')).toEqual([
      [primary, 'notBreaching'],
      [standby, 'breaching'],
    ]);
    expect(alarmsOn(synthesized, 'ReplicaMissing-billing')).toEqual([]);
  });
});

describe('the isolated network', () => {
  test.each([primary, standby])('%s: no route leads out of it', (region) => {
    const template = synthesized.template(region);
    const ways =
      /InternetGateway|NatGateway|VPCPeering|TransitGateway|VPNGateway|VPCGatewayAttachment|EC2::Route$|CarrierGateway|LocalGateway/;
    expect(
      Object.values(template.Resources)
        .map(({ Type }) => Type)
        .filter((type) => ways.test(type)),
    ).toEqual([]);
  });

  test.each([primary, standby])('%s: restored databases hear verifiers on database ports only, and call nobody', (region) => {
    const groups = resourcesOf(synthesized.template(region), 'AWS::EC2::SecurityGroup');
    const idOf = (word: string) => groups.find(([id]) => id.startsWith(`IsolatedNetwork${word}`))?.[0];
    const about = (word: string, way: 'Ingress' | 'Egress') =>
      properties(region, `AWS::EC2::SecurityGroup${way}`).filter((rule) => reference(rule.GroupId) === idOf(word));
    expect(about('Restored', 'Ingress').map((rule) => [rule.FromPort, rule.ToPort, reference(rule.SourceSecurityGroupId)])).toEqual([
      [5432, 5432, idOf('Verifiers')],
    ]);
    // EC2 adds a rule for everywhere unless there is another: this one leads nowhere.
    expect(about('Restored', 'Egress').map((rule) => rule.CidrIp)).toEqual(['255.255.255.255/32']);
    const open = groups.filter(([, { Properties }]) => JSON.stringify(Properties.SecurityGroupEgress ?? '').includes('0.0.0.0/0'));
    expect(open.map(([id]) => id)).toEqual([]);
    const outward = about('Verifiers', 'Egress').map((rule) => [rule.FromPort, rule.CidrIp ?? reference(rule.DestinationSecurityGroupId)]);
    expect(outward.sort()).toEqual(
      [
        [443, '0.0.0.0/0'],
        [5432, idOf('Restored')],
      ].sort(),
    );
  });

  test('its endpoints let through calls of this account on this account only', () => {
    const endpoints = properties(primary, 'AWS::EC2::VPCEndpoint');
    expect(endpoints).toHaveLength(4);
    for (const { PolicyDocument } of endpoints) {
      const { Statement } = z.object({ Statement: z.array(z.object({ Condition: z.unknown() })) }).parse(PolicyDocument);
      expect(Statement.map(({ Condition }) => Condition)).toEqual([
        { StringEquals: { 'aws:PrincipalAccount': '111122223333', 'aws:ResourceAccount': '111122223333' } },
      ]);
    }
  });

  test('functions that judge restored databases join it, those that read live ones join production', () => {
    const joined = properties(primary, 'AWS::Lambda::Function').flatMap(({ VpcConfig, Environment }) =>
      VpcConfig
        ? [
            [
              z.object({ Variables: z.object({ CODEBLUE_OPERATION: z.string() }) }).parse(Environment).Variables.CODEBLUE_OPERATION,
              JSON.stringify(VpcConfig),
            ] as const,
          ]
        : [],
    );
    expect(joined.length).toBeGreaterThan(1);
    for (const [name, config] of joined)
      expect(config.includes('subnet-0aaa0001')).toBe(!['compare-content', 'write-to-clone'].includes(name));
  });
});

describe('a Region that can lead has what leading takes', () => {
  const typesIn = (region: string, app = synthesized) => new Set(Object.values(app.template(region).Resources).map(({ Type }) => Type));

  test('the vault of locked copies and its role, which is named after the Region because roles know none', () => {
    for (const region of [primary, standby]) {
      const [vault] = properties(region, 'AWS::Backup::BackupVault');
      expect(vault?.BackupVaultName).toBe('hms-codeblue-locked');
      const names = properties(region, 'AWS::IAM::Role').map(({ RoleName }) => RoleName);
      expect(names).toContain(`hms-codeblue-vault-${region}`);
    }
    expect(typesIn(tertiary)).not.toContain('AWS::Backup::BackupVault');
  });

  test('every task of the active Region, with its schedules and its alarms', () => {
    const alarmsIn = (region: string) =>
      properties(region, 'AWS::CloudWatch::Alarm')
        .map(({ AlarmName }) => z.string().parse(AlarmName))
        .filter((name) => ![primary, standby].some((each) => name.includes(each))) // each tells of itself, and of the other
        .sort();
    expect(alarmsIn(standby)).toEqual(alarmsIn(primary));
    const schedulesIn = (region: string) => resourcesOf(synthesized.template(region), 'AWS::Scheduler::Schedule').map(([id]) => id);
    expect(schedulesIn(standby).sort()).toEqual(schedulesIn(primary).sort());
  });

  test('a guardian in each of the two, an observer in each of the three', () => {
    const named = (region: string) => properties(region, 'AWS::Lambda::Function').map(({ FunctionName }) => FunctionName);
    expect(everyRegion.filter((region) => named(region).includes('hms-codeblue-guard-lease'))).toEqual([primary, standby]);
    expect(everyRegion.filter((region) => named(region).includes('hms-codeblue-observe-regions'))).toEqual(everyRegion);
  });

  test('a deployment that never moves has no table, no machine, no endpoint and no alarms of failover', () => {
    const still = synthesizedApp(testOperations({ failover: { ...operations.failover, mode: 'off' } }));
    for (const region of everyRegion) {
      const text = JSON.stringify(still.template(region));
      for (const word of [
        'hms-codeblue-coordination',
        'guard-lease',
        'observe-regions',
        'lease-endpoint',
        'Codeblue/failover',
        'claim-epoch',
      ]) {
        expect({ region, word, found: text.includes(word) }).toEqual({ region, word, found: false });
      }
    }
  });
});

describe('the lease endpoint', () => {
  const dns = {
    hostedZoneId: 'Z0123456789ABC',
    recordName: 'hms.example.org',
    targets: Object.fromEntries(
      [primary, standby].map((region) => [region, { dnsName: `lb.${region}.example.org`, hostedZoneId: 'Z35SXDOTRQ7X7K' }]),
    ),
  };
  const routed = synthesizedApp(testOperations({ failover: { ...operations.failover, routing: { dns } } }));
  const [type, config] = ['AWS::Route53::HealthCheck', z.object({ HealthCheckConfig: z.looseObject({}) })] as const;

  test.each([
    [primary, 'PRIMARY'],
    [standby, 'SECONDARY'],
  ] as const)('%s: its health check turns within 20 s, and its record follows the check', (region, failover) => {
    const [[checkId, check] = []] = resourcesOf(routed.template(region), type);
    expect(config.parse(check?.Properties).HealthCheckConfig).toMatchObject({
      Type: 'HTTPS',
      RequestInterval: 10,
      FailureThreshold: 2,
      FullyQualifiedDomainName: {
        'Fn::Select': [2, { 'Fn::Split': ['/', { 'Fn::GetAtt': [expect.stringContaining('LeaseEndpoint'), 'FunctionUrl'] }] }],
      },
    });
    const [[, record] = []] = resourcesOf(routed.template(region), 'AWS::Route53::RecordSet');
    expect(record?.Properties).toMatchObject({
      Name: 'hms.example.org',
      Type: 'A',
      Failover: failover,
      SetIdentifier: region,
      HealthCheckId: { 'Fn::GetAtt': [checkId, 'HealthCheckId'] },
      AliasTarget: { DNSName: `lb.${region}.example.org`, EvaluateTargetHealth: false },
    });
  });

  /** Names of the functions that these resources are about. */
  const named = (region: string, app: SynthesizedApp, references: readonly unknown[]) =>
    references.map((each) => app.template(region).Resources[reference(each)]?.Properties.FunctionName).toSorted();
  const addressed = (region: string, app: SynthesizedApp) =>
    named(
      region,
      app,
      resourcesOf(app.template(region), 'AWS::Lambda::Url').flatMap(
        ([, { Properties }]) => (Properties.AuthType === 'NONE' ? [Properties.TargetFunctionArn] : []), // one that wants a signature is a matter of IAM
      ),
    );
  /** Permissions to ask an address, and to invoke a function through its address only. */
  const isAsked = ({ Action, FunctionUrlAuthType, InvokedViaFunctionUrl }: Readonly<Record<string, unknown>>) =>
    (Action === 'lambda:InvokeFunctionUrl' && FunctionUrlAuthType === 'NONE') ||
    (Action === 'lambda:InvokeFunction' && InvokedViaFunctionUrl === true);
  /** Addresses of incidents, in every Region: each knows its callers by keys or signatures of its own (test/lib/doors.test.ts). */
  const ofIncidents = ['hms-codeblue-acknowledge-endpoint', 'hms-codeblue-signals-endpoint'];

  test('the tertiary has neither endpoint nor record', () => {
    const types = Object.values(routed.template(tertiary).Resources).map(({ Type }) => Type);
    expect(types.filter((each) => /Route53/.test(each))).toEqual([]);
    expect(addressed(tertiary, routed)).toEqual(ofIncidents);
  });

  test('where alarms go by mail no other address is open', () => {
    const byMail = synthesizedApp(testOperations({ incidents: { ...operations.incidents, mode: 'off' } }));
    expect(everyRegion.map((region) => addressed(region, byMail))).toEqual([
      ...[primary, standby].map(() => ['hms-codeblue-lease-endpoint']),
      [],
    ]);
  });

  test('without records in the config there is an endpoint and nothing of Route 53', () => {
    expect(addressed(primary, synthesized)).toEqual([...ofIncidents, 'hms-codeblue-lease-endpoint'].toSorted());
    expect(Object.values(synthesized.template(primary).Resources).filter(({ Type }) => Type.startsWith('AWS::Route53'))).toEqual([]);
  });

  test('whoever is let in without a signature can do nothing but ask it', () => {
    for (const region of everyRegion) {
      const open = properties(region, 'AWS::Lambda::Permission').filter(({ Principal }) => Principal === '*');
      const throughAddress = named(
        region,
        synthesized,
        open.filter(isAsked).map(({ FunctionName }) => FunctionName),
      );
      expect(open.filter((permission) => !isAsked(permission))).toEqual([]);
      expect([...new Set(throughAddress)]).toEqual(addressed(region, synthesized));
    }
  });
});

describe('locked copies', () => {
  const inMode = (mode: 'simulate' | 'compliance') =>
    synthesizedApp(testOperations({ vaultLock: { ...operations.vaultLock, mode } })).template(primary);
  const vaultLock = { simulate: inMode('simulate'), compliance: inMode('compliance') }; // each once: seconds of synth
  const lockOf = (mode: 'simulate' | 'compliance') =>
    resourcesOf(vaultLock[mode], 'AWS::Backup::BackupVault').map(([, { Properties }]) => Properties.LockConfiguration);
  const evidenceOf = (mode: 'simulate' | 'compliance') =>
    JSON.stringify(
      resourcesOf(vaultLock[mode], 'AWS::S3::Bucket').flatMap(([, { Properties }]) =>
        Properties.BucketName === `hms-codeblue-${operations.account}-${primary}` ? [Properties.ObjectLockConfiguration] : [],
      ),
    );

  test('simulated, nothing is locked for ever', () => {
    expect(lockOf('simulate')).toEqual([undefined]);
    expect(evidenceOf('simulate')).toContain('GOVERNANCE');
    expect(evidenceOf('simulate')).not.toContain('COMPLIANCE');
  });

  test('in compliance mode vault and bucket are', () => {
    expect(lockOf('compliance')).toEqual([{ ChangeableForDays: 3, MinRetentionDays: 30, MaxRetentionDays: 365 }]);
    expect(evidenceOf('compliance')).toContain('COMPLIANCE');
  });
});

describe('a config that cannot be deployed is refused in words', () => {
  test('databases of one Region in two VPCs', () => {
    const [first, second] = operations.databases;
    if (!first || !second) throw new Error('the test deployment has two databases');
    const site = second.sites[primary];
    if (!site) throw new Error('with a site in the primary Region');
    const moved = { ...second, sites: { [primary]: { ...site, network: { ...site.network, vpcId: 'vpc-0fff0009' } } } };
    expect(() => synthesizedApp(testOperations({ databases: [first, moved] }))).toThrow(InvalidInput);
    expect(() => synthesizedApp(testOperations({ databases: [first, moved] }))).toThrow(/lie in 2 VPCs \(vpc-0aaa0001, vpc-0fff0009\)/);
  });

  test('a number of days that CloudWatch Logs does not offer', () => {
    const wrong = testOperations({ logRetentionDays: { ...operations.logRetentionDays, backup: 100 } });
    expect(() => synthesizedApp(wrong)).toThrow(/logRetentionDays.backup is 100/);
  });
});
