import { describe, expect, test } from 'vitest';
import { defineOperations, type OperationsInput, parseOperations } from '../../config/define-operations.ts';
import arocord from '../../config/examples/arocord.ts';
import hms from '../../config/examples/hms.ts';
import { InvalidConfig } from '../../config/invalid-config.ts';
import { days, hours, minutes } from '../../functions/common/duration.ts';
import { daily, every, weekly } from '../../functions/common/schedule.ts';

const account = '111122223333';
const site = (region: string) => ({
  identifier: 'orders',
  secretArn: `arn:aws:secretsmanager:${region}:${account}:secret:orders-AbCdEf`,
  network: { vpcId: 'vpc-0a1', availabilityZones: [`${region}a`], subnetIds: ['subnet-0a1'], securityGroupId: 'sg-0a1' },
});
const contact = { name: 'Ops', email: 'ops@hospital.example' };

/** The least that somebody has to write. */
const least: OperationsInput = {
  name: 'hms',
  profile: 'hms',
  account,
  databases: [
    {
      id: 'orders',
      engine: 'rds-postgres',
      sites: { 'us-east-1': site('us-east-1'), 'us-west-2': site('us-west-2') },
      replica: { region: 'us-west-2' },
    },
  ],
  failover: { approvals: { by: [`arn:aws:iam::${account}:role/OnCall`] } },
  contacts: { owner: contact, onCall: contact, compliance: contact },
};
const [leastDatabase] = least.databases;
if (!leastDatabase) throw new Error('the fixture has a database');
const withDatabase = (change: object): OperationsInput => ({ ...least, databases: [{ ...leastDatabase, ...change }] });

function problemsOf(define: () => unknown): InvalidConfig['problems'] {
  try {
    define();
  } catch (error) {
    if (error instanceof InvalidConfig) return error.problems;
    throw error;
  }
  return [];
}
const paths = (define: () => unknown) => problemsOf(define).map(({ path }) => path);

describe('defaults', () => {
  test('come from the profile', () => {
    const [database] = defineOperations(least).databases;
    expect(database).toMatchObject({
      objectives: { rpo: 300, rto: 900 },
      backups: { daily: daily('02:00'), 'six-hourly': daily('08:00', '14:00', '20:00') },
      copyTo: ['us-west-2'],
      retention: { daily: { home: days(30), copy: days(90) }, 'six-hourly': { home: days(7) } },
      pointInTime: { enabled: true, window: days(1) },
      replica: { region: 'us-west-2', lagAlarm: 30 },
    });
    const other = defineOperations({ ...least, profile: 'arocord' });
    expect(other.databases[0]?.objectives).toEqual({ rpo: minutes(15), rto: hours(4) });
  });

  test('give way to what is written, and only there', () => {
    const [database] = defineOperations(
      withDatabase({
        objectives: { rto: hours(1) },
        backups: { 'six-hourly': 'off', daily: every(hours(6)) },
        retention: { daily: { copy: days(365) } },
      }),
    ).databases;
    expect(database?.objectives).toEqual({ rpo: minutes(5), rto: hours(1) });
    expect(database?.backups).toEqual({ daily: every(hours(6)) });
    expect(database?.retention.daily).toEqual({ home: days(30), copy: days(365) });
    const operations = defineOperations({ ...least, verification: { secondRegion: weekly('tue', '05:00') } });
    expect(operations.verification.secondRegion).toEqual(weekly('tue', '05:00'));
    expect(operations.verification.maxAge).toBe(hours(30));
  });

  test('copies follow the standby Region that was written', () => {
    const moved = { ...least, regions: { standby: 'us-east-2' } };
    const changed = {
      ...withDatabase({ sites: { 'us-east-1': site('us-east-1'), 'us-east-2': site('us-east-2') }, replica: { region: 'us-east-2' } }),
      regions: moved.regions,
    };
    expect(defineOperations(changed).databases[0]?.copyTo).toEqual(['us-east-2']);
  });

  test('both examples are complete, and parse again as they are', () => {
    expect(parseOperations(hms)).toEqual(hms);
    expect(parseOperations(arocord)).toEqual(arocord);
    expect(parseOperations(JSON.parse(JSON.stringify(hms)))).toEqual(hms);
  });
});

describe('a wrong config', () => {
  test('is refused with all its problems at once, each with path, what was there, what belongs there and the change', () => {
    const broken = { ...JSON.parse(JSON.stringify(hms)), account: '12345', timeZone: 'America/New_Jersey' };
    broken.databases[0].objectives.rpo = '5 min';
    broken.databases[0].backups.daily.kind = 'dialy';
    broken.contacts.onCall.email = 'nobody';
    broken.regions.tertiary = 'us-east-1';
    delete broken.databases[0].sites['us-east-1'].network.vpcId;
    const problems = problemsOf(() => parseOperations(broken));
    expect(problems.map(({ path }) => path).sort()).toEqual(
      [
        'account',
        'contacts.onCall.email',
        'databases[0].backups.daily.kind',
        'databases[0].objectives.rpo',
        "databases[0].sites['us-east-1'].network.vpcId",
        'regions.tertiary',
        'timeZone',
      ].sort(),
    );
    expect(problems.find(({ path }) => path.endsWith('rpo'))).toEqual({
      path: 'databases[0].objectives.rpo',
      got: '"5 min"',
      wanted: 'a length of time such as minutes(5), hours(6) or days(30)',
      change: 'Replace "5 min" by a length of time such as minutes(5), hours(6) or days(30).',
    });
    expect(problems.find(({ path }) => path.endsWith('vpcId'))?.change).toBe(
      "Add databases[0].sites['us-east-1'].network.vpcId: an id such as vpc-0abc1234.",
    );
  });

  test('says so as one readable text', () => {
    expect(() => defineOperations({ ...least, account: '12' })).toThrowErrorMatchingInlineSnapshot(`
      [InvalidConfig: the config has a problem:
        account
          got:    "12"
          wanted: a 12-digit AWS account id
          change: Replace "12" by a 12-digit AWS account id.]
    `);
  });

  test.each([
    [{ ...least, acount: account }, 'acount', 'Write "account" instead of "acount".'],
    [withDatabase({ objetives: {} }), 'databases[0].objetives', 'Write "objectives" instead of "objetives".'],
    [withDatabase({ pointInTime: { windw: 1 } }), 'databases[0].pointInTime.windw', 'Write "window" instead of "windw".'],
    [{ ...least, pagerDuty: 'x' }, 'pagerDuty', 'Remove "pagerDuty": nothing here reads it.'],
  ])('an unknown key is refused with the nearest right one', (config, path, change) => {
    expect(problemsOf(() => defineOperations(config))).toMatchObject([{ path, change }]);
  });

  test('an unknown profile is one problem, not a missing value for each default', () => {
    const config: unknown = { ...least, profile: 'hmss' };
    expect(paths(() => Reflect.apply(defineOperations, undefined, [config]))).toEqual(['profile']);
  });

  test.each([[undefined], [null], ['hms'], [[]], [{}], [{ profile: 'hms', databases: [null, 5] }], [{ profile: 'hms', databases: 'all' }]])(
    'anything at all is refused by name, never by a crash: %j',
    (config) => {
      expect(() => Reflect.apply(defineOperations, undefined, [config])).toThrow(InvalidConfig);
    },
  );
});

describe('rules between the parts', () => {
  test.each<[string, OperationsInput, string]>([
    ['two roles in one Region', { ...least, regions: { tertiary: 'us-west-2' } }, 'regions.tertiary'],
    ['one id twice', { ...least, databases: [leastDatabase, leastDatabase] }, 'databases[1].id'],
    ['no site in the primary Region', withDatabase({ sites: { 'us-west-2': site('us-west-2') } }), "databases[0].sites['us-east-1']"],
    [
      'a site outside of the deployment',
      withDatabase({ sites: { ...leastDatabase.sites, 'eu-north-1': site('eu-north-1') } }),
      "databases[0].sites['eu-north-1']",
    ],
    [
      'a secret of another Region',
      withDatabase({ sites: { ...leastDatabase.sites, 'us-east-1': { ...site('us-east-1'), secretArn: site('us-west-2').secretArn } } }),
      "databases[0].sites['us-east-1'].secretArn",
    ],
    [
      'a secret of another account',
      {
        ...least,
        account: '999988887777',
        databases: [
          {
            ...leastDatabase,
            sites: { 'us-east-1': { ...site('us-east-1') } },
            replica: undefined,
            objectives: { regionLossRpo: days(2) },
          },
        ],
      },
      "databases[0].sites['us-east-1'].secretArn",
    ],
    ['copies beside the original', withDatabase({ copyTo: ['us-east-1'] }), 'databases[0].copyTo[0]'],
    ['copies to a foreign Region', withDatabase({ copyTo: ['ap-south-1'] }), 'databases[0].copyTo[0]'],
    ['a copy twice', withDatabase({ copyTo: ['us-west-2', 'us-west-2'] }), 'databases[0].copyTo[1]'],
    ['a replica without a site', withDatabase({ replica: { region: 'eu-west-1' } }), 'databases[0].replica.region'],
    ['a replica beside the primary', withDatabase({ replica: { region: 'us-east-1' } }), 'databases[0].replica.region'],
    ['copies gone before the home', withDatabase({ retention: { daily: { copy: days(7) } } }), 'databases[0].retention.daily.copy'],
    [
      'backups gone before the next',
      withDatabase({
        backups: { daily: weekly('sun', '02:00'), 'six-hourly': 'off' },
        retention: { daily: { home: days(2) } },
        pointInTime: { enabled: true },
      }),
      'databases[0].retention.daily.home',
    ],
    ['a log window beyond RDS', withDatabase({ pointInTime: { window: days(36) } }), 'databases[0].pointInTime.window'],
    ['a log window of no whole days', withDatabase({ pointInTime: { window: hours(30) } }), 'databases[0].pointInTime.window'],
    [
      'one invariant twice',
      withDatabase({ invariants: Array(2).fill({ name: 'a', says: 'b', sql: 'select 1', tables: ['x'] }) }),
      'databases[0].invariants[1].name',
    ],
    ['a limit below the objective', withDatabase({ objectives: { rto: hours(5) } }), 'verification.restoreLimit'],
    ['a log retention that CloudWatch has not', { ...least, logRetentionDays: { audit: 2555 } }, 'logRetentionDays.audit'],
    ['a lock that ends before it begins', { ...least, vaultLock: { minRetention: days(400) } }, 'vaultLock.minRetention'],
    [
      'a wider objective that is narrower',
      withDatabase({ objectives: { regionLossRpo: minutes(4) } }),
      'databases[0].objectives.regionLossRpo',
    ],
  ])('refuse %s', (_, config, path) => {
    expect(paths(() => defineOperations(config))).toContain(path);
    expect(paths(() => defineOperations(least))).toEqual([]);
  });

  test('are checked although another part is broken', () => {
    expect(paths(() => defineOperations({ ...withDatabase({ copyTo: ['us-east-1'] }), account: 'x' }))).toEqual(
      expect.arrayContaining(['account', 'databases[0].copyTo[0]']),
    );
  });

  test('an alarm on the age of the newest verified backup must be able to stay quiet', () => {
    const verification = { maxAge: hours(11), restoreLimit: hours(4) };
    const [problem] = problemsOf(() => defineOperations({ ...least, verification }));
    // 7 h in the night the clocks go back + 20 min + 4 h
    expect(problem?.path).toBe('verification.maxAge');
    expect(problem?.wanted).toContain(
      'at most 7 h between backups; + 20 min to complete + 4 h to verify (verification.restoreLimit) = 11 h 20 min',
    );
    expect(paths(() => defineOperations({ ...least, verification: { ...verification, maxAge: hours(11) + minutes(20) } }))).toEqual([]);
  });

  test('an RPO that the backups cannot meet is refused with the arithmetic', () => {
    const problems = problemsOf(() => defineOperations(withDatabase({ pointInTime: { enabled: false } })));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ path: 'databases[0].objectives.rpo', got: '"5 min"' });
    expect(problems[0]?.wanted).toContain('leave at most 7 h between backups; + 20 min to complete = 7 h 20 min; the RPO is 5 min');
    expect(problems[0]?.change).toBe(
      'Turn pointInTime on (enabled: true), back up more often, or raise objectives.rpo to at least 7 h 20 min.',
    );
  });
});
