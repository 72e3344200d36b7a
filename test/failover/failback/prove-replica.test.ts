import { open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../functions/common/clock.ts';
import { ServiceUnavailable } from '../../../functions/common/errors.ts';
import { DatabaseId, RecoveryPointId } from '../../../functions/common/ids.ts';
import { proveReplica } from '../../../functions/failover/failback/prove-replica.ts';
import type { SqlServer } from '../../../functions/verify/ports.ts';
import { loadSchema, startLoad } from '../../support/load.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { caughtUp, followerOf } from './support.ts';

const servers: TestPostgres[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function aPrimary(): Promise<TestPostgres> {
  const primary = await startPostgres({ autovacuum: 'off' });
  servers.push(primary);
  await primary.sql('postgres', 'create database app');
  await primary.sql('app', loadSchema);
  return primary;
}

async function replicaOf(primary: TestPostgres, settings: Readonly<Record<string, string>> = {}): Promise<TestPostgres> {
  const replica = await followerOf(primary, settings);
  servers.push(replica);
  return replica;
}

const prove = (primary: SqlServer, replica: SqlServer, seconds = 60) =>
  proveReplica({
    ...{
      primary,
      replica,
      databaseId: DatabaseId.parse('hms'),
      databaseNames: ['app'],
      recoveryPointId: RecoveryPointId.parse('cb-hms-failback-1'),
    },
    ...{ deadline: new Date(Date.now() + seconds * 1000), clock: systemClock },
  });

/** A row whose page nobody has a reason to write again: a page that comes with the log would mend the damage. */
async function aColdRow(primary: TestPostgres): Promise<void> {
  await primary.sql('app', `update patient set name = 'unlike any other' where id = 17`);
  await primary.sql('app', 'vacuum (freeze) patient');
  await primary.sql('app', 'checkpoint');
}

/** Overwrites a text wherever it stands in the table's file, behind the server's back. @returns how often */
async function corrupt(server: TestPostgres, table: string, from: string, to: string): Promise<number> {
  const [row] = await server.sql('app', `select pg_relation_filepath('${table}') as path`);
  const file = await openFile(join(server.dataDirectory, row?.path ?? ''), 'r+');
  try {
    const bytes = await file.readFile();
    let count = 0;
    for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + 1), count++) await file.write(to, at);
    return count;
  } finally {
    await file.close();
  }
}

describe('a rebuilt replica', () => {
  test('is proven equal while its primary is under full load, again and again', async () => {
    const primary = await aPrimary();
    const replica = await replicaOf(primary);
    const load = startLoad(primary.server, 'app', 4, 11);
    try {
      for (let round = 0; round < 3; round++) {
        const checks = await prove(primary.server, replica.server);
        expect(checks.map(({ id, result, findings }) => ({ id, result, findings: result === 'passed' ? [] : findings }))).toEqual(
          ['identity', 'window', 'schema', 'rows', 'content', 'sequences'].map((id) => ({ id, result: 'passed', findings: [] })),
        );
      }
      expect(load.count()).toBeGreaterThan(50);
    } finally {
      await load.stop();
    }
  });

  test('is refused when one row of it was changed behind its back', async () => {
    const primary = await aPrimary();
    await aColdRow(primary);
    // With page checksums watched the row could not be read at all; this is the damage that no checksum sees.
    const replica = await replicaOf(primary, { ignore_checksum_failure: 'on' });
    await caughtUp(primary, replica);
    expect(await corrupt(replica, 'patient', 'unlike any other', 'unlike any 0ther')).toBe(1);
    const checks = await prove(primary.server, replica.server);
    expect(checks.filter(({ result }) => result === 'failed').map(({ id, findings }) => [id, findings])).toEqual([
      ['content', [expect.stringContaining('public.patient')]],
    ]);
  });

  test('is refused when a page of it cannot be read', async () => {
    const primary = await aPrimary();
    await aColdRow(primary);
    const replica = await replicaOf(primary);
    await caughtUp(primary, replica);
    expect(await corrupt(replica, 'patient', 'unlike any other', 'unlike any 0ther')).toBe(1);
    const checks = await prove(primary.server, replica.server);
    expect(checks.find(({ id }) => id === 'content')).toMatchObject({
      result: 'failed',
      findings: [expect.stringMatching(/public.patient.*XX001/)],
    });
  });

  test('is refused when it follows another database', async () => {
    const replica = await replicaOf(await aPrimary());
    const other = await aPrimary();
    await prove(other.server, replica.server, 3).then(
      () => expect.unreachable(),
      (error: Error) => expect(['DeadlinePassed', 'SqlFailed']).toContain(error.name),
    );
  });

  test('that replay does not leave alone is read again, and then given up as not readable, never as unequal', async () => {
    const primary = await aPrimary();
    const replica = await replicaOf(primary, { max_standby_streaming_delay: '0' });
    let connections = 0;
    const harassed: SqlServer = {
      async connect(name) {
        const session = await replica.server.connect(name);
        connections++;
        return {
          ...session,
          async query(text, values) {
            // Between two queries of the comparison the primary removes rows that its snapshot still sees.
            if (text.includes('pg_export_snapshot')) {
              await primary.sql('app', `update log set what = what || '!'`);
              await primary.sql('app', 'vacuum log');
              await caughtUp(primary, replica);
            }
            return session.query(text, values);
          },
        };
      },
    };
    await expect(prove(primary.server, harassed)).rejects.toThrow(ServiceUnavailable);
    expect(connections).toBeGreaterThanOrEqual(3);
    expect(await prove(primary.server, replica.server).then((checks) => checks.every(({ result }) => result === 'passed'))).toBe(true);
  });
});
