import { describe, expect, test } from 'vitest';
import arocord from '../../config/examples/arocord.ts';
import hms from '../../config/examples/hms.ts';
import { InvalidInput, ServiceUnavailable } from '../../functions/common/errors.ts';
import { DatabaseId, Region } from '../../functions/common/ids.ts';
import { auditLogTableName, auditTableName, backupKeyAlias, coordinationTableName, stateTableName } from '../../functions/common/names.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { regionsOf } from '../../functions/common/operations-lookup.ts';
import { examine } from '../../functions/doctor/examine.ts';
import { type MemoryAccount, memoryAccountFacts } from '../../functions/memory/account-facts.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { memoryPorts } from '../../functions/memory/ports.ts';

const now = '2026-11-21T12:00:00Z';
const home = Region.parse('us-east-1');
const standby = Region.parse('us-west-2');

/** An account in which everything is as the config says. */
function soundAccount(operations: Operations): Required<Omit<MemoryAccount, 'refused'>> {
  const sites = operations.databases.flatMap(({ sites: all }) => Object.entries(all));
  const enabled = { enabled: true, state: 'Enabled' };
  const regions = regionsOf(operations);
  return {
    identity: { account: operations.account, arn: `arn:aws:iam::${operations.account}:user/alice` },
    keys: Object.fromEntries([
      ...sites.map(([region, site]) => [`${region}/${site.storageKeyArn}`, enabled] as const),
      ...regions.map((region) => [`${region}/${backupKeyAlias(operations)}`, enabled] as const),
    ]),
    secrets: Object.fromEntries(sites.map(([region, site]) => [`${region}/${site.secretArn}`, {}] as const)),
    tables: Object.fromEntries([
      ...regions.flatMap((region) =>
        [stateTableName(operations), auditTableName(operations), auditLogTableName(operations)].map(
          (name) => [`${region}/${name}`, { status: 'ACTIVE' }] as const,
        ),
      ),
      ...[home, standby].map(
        (region) => [`${region}/${coordinationTableName(operations)}`, { status: 'ACTIVE', witness: operations.failover.witness }] as const,
      ),
    ]),
    quotas: Object.fromEntries(
      regions.map((region) => [
        region,
        ['ManualSnapshots', 'ManualClusterSnapshots', 'DBInstances'].map((name) => ({ name, used: 10, limit: 200 })),
      ]),
    ),
  };
}

async function examined(
  account: MemoryAccount,
  change: (ports: ReturnType<typeof memoryPorts>) => void = () => {},
  operations: Operations = hms,
) {
  const clock = manualClock(now);
  const ports = memoryPorts({ operations, clock });
  change(ports);
  return examine(operations, clock.now(), { facts: memoryAccountFacts(account), databases: ports.databases });
}

/** Findings about the account: those of the config are another file's. */
const ofAccount = ({ findings }: Awaited<ReturnType<typeof examine>>) =>
  findings.filter(({ says }) => !says.startsWith('still as in the example'));
const problems = (examination: Awaited<ReturnType<typeof examine>>) => ofAccount(examination).filter(({ level }) => level === 'problem');

describe('an account', () => {
  test.each([
    ['hms', hms],
    ['arocord', arocord],
  ] as const)('in which all is as the config of %s says has no problem', async (_, operations) => {
    const examination = await examined(soundAccount(operations), undefined, operations);
    expect(problems(examination)).toEqual([]);
    expect(examination.accountExamined).toBe(true);
  });

  test('of somebody else is refused, and nothing is said about what it lacks', async () => {
    const examination = await examined({ identity: { account: '999988887777', arn: 'arn:aws:iam::999988887777:user/eve' } });
    expect(problems(examination)).toHaveLength(1);
    expect(problems(examination)[0]?.says).toBe('the credentials belong to account 999988887777, the config is for 111122223333');
  });

  test('that was not looked at is said to be so', async () => {
    const examination = await examined({});
    expect(examination.accountExamined).toBe(false);
    expect(problems(examination)).toEqual([]);
  });

  test('whose credentials have expired is a problem with its mend', async () => {
    const refused = {
      identity: new InvalidInput('ask who we are: ExpiredTokenException', { hint: 'The credentials have expired: sign in again.' }),
    };
    const examination = await examined({ refused });
    expect(examination.accountExamined).toBe(false);
    expect(problems(examination)).toMatchObject([{ subject: 'account', mend: 'The credentials have expired: sign in again.' }]);
  });
});

const id = DatabaseId.parse('hms');

/** A deployment whose lead stays where it is. */
const still: Operations = { ...hms, failover: { ...hms.failover, mode: 'off' } };

describe('a database whose Regions take turns', () => {
  test('is well wherever its primary is', async () => {
    const moved = await examined(soundAccount(hms), ({ databases }) => {
      databases.setLive(id, home, { replicaOf: 'hms-replica', replicas: [], logRetentionDays: 0 });
      databases.setLive(id, standby, { replicaOf: undefined, replicas: ['hms-primary'], logRetentionDays: 7 });
    });
    expect(problems(moved)).toEqual([]);
    expect(moved.findings).toContainEqual(expect.objectContaining({ subject: 'hms-replica in us-west-2', says: 'is the primary' }));
    expect(moved.findings).toContainEqual(expect.objectContaining({ subject: 'hms-replica in us-west-2', says: 'keeps 7 d of log' }));
  });

  test('with two primaries is a problem, and so is one with none', async () => {
    const both = await examined(soundAccount(hms), ({ databases }) =>
      databases.setLive(id, standby, { replicaOf: undefined, logRetentionDays: 7 }),
    );
    expect(problems(both)).toMatchObject([{ subject: 'hms', says: expect.stringContaining('are both writable') }]);
    const none = await examined(soundAccount(hms), ({ databases }) => databases.setLive(id, home, { replicaOf: 'elsewhere' }));
    expect(problems(none)).toMatchObject([{ subject: 'hms', says: 'none of its sites is writable' }]);
  });

  test('without a replica has nowhere to go', async () => {
    const alone = await examined(soundAccount(hms), ({ databases }) => databases.setLive(id, home, { replicas: [] }));
    expect(problems(alone)).toMatchObject([
      { subject: 'hms-primary in us-east-1', says: 'has no replica; the config names one in us-west-2' },
    ]);
  });
});

describe('the table of who leads', () => {
  const name = coordinationTableName(hms);
  const withTable = (table: { readonly status: string; readonly witness?: string }) => {
    const account = soundAccount(hms);
    return { ...account, tables: { ...account.tables, [`${home}/${name}`]: table } };
  };

  test('must have its witness where the config says', async () => {
    const without = await examined(withTable({ status: 'ACTIVE' }));
    expect(problems(without)).toMatchObject([{ subject: `table ${name} in us-east-1`, says: expect.stringContaining('has no witness') }]);
    const elsewhere = await examined(withTable({ status: 'ACTIVE', witness: 'eu-west-1' }));
    expect(problems(elsewhere)).toMatchObject([{ says: 'has its witness in eu-west-1, not in us-east-2' }]);
  });

  test('is not asked for where nothing moves', async () => {
    const { tables, ...account } = soundAccount(still);
    const others = Object.fromEntries(Object.entries(tables).filter(([key]) => !key.endsWith(name)));
    expect(problems(await examined({ ...account, tables: others }, () => {}, still))).toEqual([]);
  });
});

describe('a live database', () => {
  test.each([
    ['an old engine', { engineVersion: '13.14' }, 'runs PostgreSQL 13.14; verification needs 14 or later'],
    ['plain storage', { encrypted: false }, 'storage is not encrypted, and so are its snapshots not'],
    ['no log', { logRetentionDays: 0 }, 'automated backups are off: no point-in-time restore'],
    ['no replica', { replicas: [] }, 'has no replica; the config names one in us-west-2'],
    ['another writer', { replicaOf: 'elsewhere' }, 'is a replica of elsewhere'],
  ])('with %s is a problem', async (_, facts, says) => {
    const examination = await examined(soundAccount(still), (ports) => ports.databases.setLive(id, home, facts), still);
    expect(problems(examination)).toMatchObject([{ subject: 'hms-primary in us-east-1', says }]);
  });

  test('with a shorter log than the config wants is a problem', async () => {
    const week: Operations = {
      ...hms,
      databases: hms.databases.map((database) => ({
        ...database,
        pointInTime: { ...database.pointInTime, window: arocord.databases[0]?.pointInTime.window ?? database.pointInTime.window },
      })),
    };
    const examination = await examined(soundAccount(week), (ports) => ports.databases.setLive(id, home, { logRetentionDays: 3 }), week);
    expect(problems(examination)).toMatchObject([
      { says: 'keeps 3 d of log, pointInTime.window wants 7 d', mend: 'Raise the backup retention period to 7 d.' },
    ]);
  });

  test('that is no replica although the config says so is a problem', async () => {
    const examination = await examined(
      soundAccount(still),
      (ports) => ports.databases.setLive(id, standby, { replicaOf: undefined }),
      still,
    );
    expect(problems(examination)).toMatchObject([
      { subject: 'hms-replica in us-west-2', says: 'is no replica, although the config says so' },
    ]);
  });

  test('without protection against deletion is a warning', async () => {
    const examination = await examined(soundAccount(hms), (ports) => ports.databases.setLive(id, home, { deletionProtected: false }));
    expect(examination.findings).toContainEqual(expect.objectContaining({ level: 'warning', says: 'can be deleted by one call' }));
  });

  test('that may not be looked at hides nothing else', async () => {
    const examination = await examined({ ...soundAccount(hms), keys: {} }, (ports) =>
      ports.databases.failNext('describe', new ServiceUnavailable('throttled')),
    );
    expect(examination.findings).toContainEqual(expect.objectContaining({ level: 'warning', says: 'could not be looked at: throttled' }));
    expect(problems(examination).length).toBeGreaterThan(0);
  });
});

describe('keys, secrets, tables, quotas', () => {
  const account = soundAccount(hms);
  const [primarySite] = Object.values(hms.databases[0]?.sites ?? {});
  const key = `us-east-1/${primarySite?.storageKeyArn}`;
  const secret = `us-east-1/${primarySite?.secretArn}`;
  const without = <T>(record: Readonly<Record<string, T>>, name: string) =>
    Object.fromEntries(Object.entries(record).filter(([each]) => each !== name));

  test.each<[string, MemoryAccount, RegExp]>([
    ['a missing key', { ...account, keys: without(account.keys, key) }, /does not exist/],
    [
      'a disabled key',
      { ...account, keys: { ...account.keys, [key]: { enabled: false, state: 'PendingDeletion' } } },
      /is PendingDeletion/,
    ],
    ["Codeblue's own key gone", { ...account, keys: without(account.keys, `eu-west-1/${backupKeyAlias(hms)}`) }, /does not exist/],
    ['a missing secret', { ...account, secrets: without(account.secrets, secret) }, /does not exist/],
    [
      'a secret on its way out',
      { ...account, secrets: { ...account.secrets, [secret]: { deletedAt: new Date(now) } } },
      /marked for deletion/,
    ],
    [
      'a table missing in one Region',
      { ...account, tables: without(account.tables, `us-west-2/${stateTableName(hms)}`) },
      /does not exist/,
    ],
    [
      'too few snapshots allowed',
      { ...account, quotas: { ...account.quotas, 'us-west-2': [{ name: 'ManualSnapshots', used: 5, limit: 100 }] } },
      /ManualSnapshots: 5 of 100 used; the config keeps about 111/,
    ],
    [
      'no room for a restore',
      { ...account, quotas: { ...account.quotas, 'us-east-1': [{ name: 'DBInstances', used: 39, limit: 40 }] } },
      /DBInstances: 39 of 40 used/,
    ],
  ])('%s is one problem with its mend', async (_, broken, says) => {
    const found = problems(await examined(broken));
    expect(found).toHaveLength(1);
    expect(found[0]?.says).toMatch(says);
    expect(found[0]?.mend).not.toBe('');
  });

  test('before the first deployment no table is a warning, not ten problems', async () => {
    const { tables: _, ...undeployed } = account;
    const examination = await examined({
      ...undeployed,
      keys: Object.fromEntries(Object.entries(account.keys).filter(([name]) => !name.includes('alias/'))),
    });
    expect(problems(examination)).toEqual([]);
    expect(examination.findings).toContainEqual(expect.objectContaining({ level: 'warning', subject: 'deployment' }));
  });

  test('what may not be asked is a warning', async () => {
    const examination = await examined({ ...account, refused: { quotas: new InvalidInput('AccessDenied') } });
    expect(problems(examination)).toEqual([]);
    expect(examination.findings.filter(({ says }) => says === 'could not be looked at: AccessDenied')).toHaveLength(3);
  });
});
