import { describe, expect, test } from 'vitest';
import type { RecoveryPoint } from '../../functions/backup/models.ts';
import { InvalidInput } from '../../functions/common/errors.ts';
import { timestamp } from '../../functions/common/ids.ts';
import { memoryAccountFacts } from '../../functions/memory/account-facts.ts';
import { memoryExecutions } from '../../functions/memory/executions.ts';
import { memoryItemStore } from '../../functions/memory/item-store.ts';
import { memoryProofs } from '../../functions/memory/proofs.ts';
import { memoryRecoveryPoints } from '../../functions/memory/recovery-points.ts';
import { memoryTaskInvoker } from '../../functions/memory/task-invoker.ts';
import { VerificationRecord } from '../../functions/verify/models.ts';
import type { Proof } from '../../functions/verify/proof.ts';
import { cliWorld } from '../support/cli.ts';
import { testOperations } from '../support/operations.ts';
import { signedProof } from '../support/proofs.ts';
import { aLocation, aRecoveryPoint, hms, home, standby } from '../support/recovery-points.ts';

const all = testOperations();
/** One database, so that it need not be named. */
const operations = testOperations({ databases: all.databases.slice(0, 1) });
const at = (text: string) => new Date(text);
const verified = aRecoveryPoint(at('2026-11-21T07:00:00Z'), { verdict: 'verified', sizeBytes: 107_374_182_400 });
const pending = aRecoveryPoint(at('2026-11-21T11:00:00Z'), { kind: 'six-hourly' });

async function worldWith(points: readonly RecoveryPoint[], proofs: readonly Partial<Proof>[] = []) {
  const world = cliWorld({ operations });
  for (const point of points) await world.ports.recoveryPoints.add(point);
  for (const [index, facts] of proofs.entries()) {
    await world.ports.proofs.put(await signedProof(`2026-11-${String(21 - index).padStart(2, '0')}T08:00:00.000Z`, facts));
  }
  return world;
}

describe('status', () => {
  test('with a fresh verified backup says that all is well, and how long a restore takes', async () => {
    const { run } = await worldWith(
      [verified, pending],
      [600, 590, 610].map((restoreSeconds) => ({ measured: { restoreSeconds, lossSeconds: 2 } })),
    );
    const { stdout, exitCode } = await run('status');
    expect(stdout).toMatchInlineSnapshot(`
      "✓ hms: all is well

      hms
        newest backup      1 h old, not verified yet (cb-hms-six-hourly-20261121t110000z)
        newest verified    5 h old, verified (cb-hms-daily-20261121t070000z), 1 d 6 h allowed
        log                newest restorable second is 5 min old
        data loss          2 s measured last (3 verifications); the objective is 15 min
        restore time       10 min measured last, 10 min at the median of 3 verifications; the objective is 1 h
        forecast           about 10 min for a restore now, by the median (3 verifications)

      next
        expire-recovery-points  in 20 h
      "
    `);
    expect(exitCode).toBe(0);
  });

  test('puts problems first and exits with 1', async () => {
    const { run, ports } = await worldWith(
      [
        aRecoveryPoint(at('2026-11-19T07:00:00Z'), { verdict: 'verified' }),
        aRecoveryPoint(at('2026-11-21T07:00:00Z'), { verdict: 'refused' }),
      ],
      [{ measured: { restoreSeconds: 7200, lossSeconds: 1000 } }],
    );
    ports.databases.setLive(hms, home, { latestRestorableAt: at('2026-11-21T10:00:00Z') });
    const { stdout, exitCode } = await run('status');
    expect(stdout.split('\n').slice(0, 6)).toEqual([
      '5 problems',
      '  ✗ hms: the newest verified backup is 2 d 5 h old, at most 1 d 6 h is allowed',
      '  ✗ hms: the newest backup, cb-hms-daily-20261121t070000z, was refused: it is not what it should be',
      '  ✗ hms: the newest restorable second is 7200 s old, the objective is 900 s',
      '  ✗ hms: the last restore took 2 h, the objective is 1 h',
      '  ✗ hms: the last verification measured 16 min 40 s of lost data, the objective is 15 min',
    ]);
    expect(exitCode).toBe(1);
  });

  test('without any backup says so', async () => {
    const { stdout, exitCode } = await (await worldWith([])).run('status');
    expect(stdout).toContain('✗ hms: there is no backup that could be restored');
    expect(exitCode).toBe(1);
  });

  test('a copy that failed is a problem until another takes its place', async () => {
    const failed = aLocation('copy-1', { region: standby, role: 'copy', status: 'failed' });
    const says = 'the copy of 1 backup failed';
    expect((await (await worldWith([{ ...verified, locations: [...verified.locations, failed] }])).run('status')).stdout).toContain(says);
    const again = aLocation('copy-2', { region: standby, role: 'copy', status: 'creating' });
    expect(
      (await (await worldWith([{ ...verified, locations: [...verified.locations, failed, again] }])).run('status')).stdout,
    ).not.toContain(says);
  });

  test('a verified backup whose snapshots are gone does not count', async () => {
    const gone = aRecoveryPoint(at('2026-11-21T07:00:00Z'), { verdict: 'verified', locations: [aLocation('x', { status: 'removed' })] });
    const { stdout } = await (await worldWith([gone, pending])).run('status');
    expect(stdout).toContain('✗ hms: no backup has been verified yet');
  });

  test('a live database that does not answer is a problem, and the rest is still shown', async () => {
    const { run, ports } = await worldWith([verified]);
    ports.databases.failNext('describe', new InvalidInput('AccessDenied'));
    const { stdout, exitCode } = await run('status', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      databases: [{ problems: ['the live database could not be asked: AccessDenied'], newestVerified: { id: verified.id } }],
    });
    expect(exitCode).toBe(1);
  });
});

describe('backup list', () => {
  test('shows what there is, newest first, and says how many are left out', async () => {
    const gone = aRecoveryPoint(at('2026-11-01T07:00:00Z'), { locations: [aLocation('x', { status: 'removed' })] });
    const copied = {
      ...verified,
      locations: [...verified.locations, aLocation(verified.id, { region: standby, role: 'copy', status: 'creating' })],
    };
    const { run } = await worldWith([gone, copied, pending]);
    expect((await run('backup', 'list')).stdout).toMatchInlineSnapshot(`
      "BACKUP                              KIND        TAKEN                 SIZE      VERIFIED  WHERE
      cb-hms-six-hourly-20261121t110000z  six-hourly  2026-11-21 06:00 EST  -         not yet   us-east-1
      cb-hms-daily-20261121t070000z       daily       2026-11-21 02:00 EST  107.4 GB  yes       us-east-1, us-west-2 (copy, creating)
      1 more was removed or failed; add --all to see it.
      "
    `);
    const { points } = JSON.parse((await run('backup', 'list', '--all', '--json')).stdout);
    expect(points).toHaveLength(3);
  });

  test('of a database that there is not names the ones there are', async () => {
    const { stderr, stdout, exitCode } = await (await worldWith([])).run('backup', 'list', '--database', 'hmss');
    expect({ stderr, stdout, exitCode }).toEqual({
      stderr: 'error: there is no database "hmss" in the config\nIt has: hms.\n',
      stdout: '',
      exitCode: 1,
    });
  });
});

/** A deployment whose backup function takes a while and then stores a point. */
function backingUp(outcome: 'stores' | 'never' = 'stores') {
  return cliWorld({
    operations,
    ports: (clock) => {
      const store = memoryItemStore(clock);
      const recoveryPoints = memoryRecoveryPoints(store);
      const taskInvoker = memoryTaskInvoker(async ({ input, scheduledAt, task }) => {
        expect({ task, input }).toEqual({ task: 'backup-database', input: { databaseId: 'hms', kind: 'emergency' } });
        const { manifestSha256, ...begun } = aRecoveryPoint(scheduledAt, { kind: 'emergency' });
        await recoveryPoints.add({ ...begun, ...(outcome === 'stores' ? { manifestSha256 } : {}) });
      });
      return { store, recoveryPoints, taskInvoker };
    },
  });
}

describe('backup now', () => {
  test('shows the plan, takes the backup, prints its id, and leaves an audit trail', async () => {
    const { run, ports } = backingUp();
    const { stdout, stderr, exitCode } = await run('backup', 'now', '--database', 'hms', '--yes');
    expect(stderr).toContain('Emergency backup of hms in us-east-1 (107.4 GB, PostgreSQL 16.4, available)');
    expect(stderr).toContain('copied to us-west-2, kept there 90 d');
    expect(stdout).toContain('Backup taken: cb-hms-emergency-20261121t120000z');
    expect(exitCode).toBe(0);
    const events = await ports.auditLog.recent(at('2026-11-21T00:00:00Z'), 10);
    expect(events.map(({ phase, actor, action, resource }) => ({ phase, actor, action, resource }))).toEqual(
      ['outcome', 'intent'].map((phase) => ({
        phase,
        actor: 'cli/alice',
        action: 'request-backup',
        resource: 'cb-hms-emergency-20261121t120000z',
      })),
    );
  });

  test('without --yes and without a person to ask does nothing', async () => {
    const { run, ports } = backingUp();
    const { exitCode, stderr } = await run('backup', 'now', '--database', 'hms');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('Add --yes when the plan is right.');
    expect(await ports.recoveryPoints.list(hms)).toEqual([]);
  });

  test('in a Region that takes no backups is refused before anything is asked for', async () => {
    const { run, ports } = backingUp();
    const { exitCode, stderr } = await run('backup', 'now', '--database', 'hms', '--yes', '--region', 'us-west-2');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('backups are taken in the Region that leads, and us-west-2 does not');
    expect(await ports.recoveryPoints.list(hms)).toEqual([]);
  });

  test('that does not come in time is an error, never a success', async () => {
    const { run } = backingUp('never');
    const { exitCode, stderr, stdout } = await run('backup', 'now', '--database', 'hms', '--yes');
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain('is not there after 50 min');
  });
});

/** A deployment whose verify machine ends with that outcome. */
function verifying(outcome: Proof['outcome'] | 'crashes') {
  return cliWorld({
    operations,
    ports: (clock) => {
      const store = memoryItemStore(clock);
      const proofs = memoryProofs(store);
      const executions = memoryExecutions(store, async ({ input }) => {
        const { verificationId, target, region } = VerificationRecord.parse(input);
        await clock.sleep(60_000);
        if (outcome === 'crashes') throw new Error('crashed');
        const check = {
          id: 'content',
          says: 'Every row is as it was.',
          result: outcome === 'verified' ? ('passed' as const) : ('failed' as const),
          findings: ['public.orders differs'],
        };
        await proofs.put(
          await signedProof(clock.now().toISOString(), { verificationId, target, region, outcome, checks: [check], purpose: 'on-demand' }),
        );
      });
      return { store, proofs, executions };
    },
  });
}

describe('verify', () => {
  test('restores the newest backup that is stored, and prints the verdict', async () => {
    const { run, ports } = verifying('verified');
    await ports.recoveryPoints.add(verified);
    await ports.recoveryPoints.add(pending);
    const { stdout, exitCode } = await run('verify');
    expect(stdout.replace(/ed25519\/[0-9a-f]{16}/, 'the key')).toMatchInlineSnapshot(`
      "VERIFIED  cb-hms-six-hourly-20261121t110000z in us-east-1
        restored in  10 min 11 s
        data loss    2.5 s
        content      4,000,000 rows
        content root 5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e

      CHECK      ASKS
      ✓ content  Every row is as it was.

      proof cbv-hms-six-hourly-20261121t110000z-28d0814d3a, signed with the key
      "
    `);
    expect(exitCode).toBe(0);
  });

  test('of a refused backup prints what failed and exits with 1', async () => {
    const { run, ports } = verifying('refused');
    await ports.recoveryPoints.add(verified);
    const { stdout, exitCode } = await run('verify', verified.id);
    expect(stdout).toMatch(/^REFUSED {2}cb-hms-daily-20261121t070000z in us-east-1/);
    expect(stdout).toContain('content:\n  public.orders differs');
    expect(exitCode).toBe(1);
  });

  test('again is another verification with a proof of its own', async () => {
    const { run, ports } = verifying('verified');
    await ports.recoveryPoints.add(verified);
    await run('verify');
    await run('verify');
    expect(await ports.proofs.list(hms, 10)).toHaveLength(2);
  });

  test('whose machine ends without a proof is an error, and can be started again', async () => {
    const { run, ports } = verifying('crashes');
    await ports.recoveryPoints.add(verified);
    const first = await run('verify');
    expect(first.exitCode).toBe(1);
    expect(first.stderr).toContain('without a proof');
    expect(ports.executions.started).toHaveLength(1);
    await run('verify');
    expect(new Set(ports.executions.started.map(({ name }) => name)).size).toBe(2);
  });

  test('in another Region takes the copy there', async () => {
    const { run, ports } = verifying('verified');
    await ports.recoveryPoints.add({
      ...verified,
      locations: [...verified.locations, aLocation('the-copy', { region: standby, role: 'copy' })],
    });
    const { proof } = JSON.parse((await run('verify', '--region', 'us-west-2', '--json')).stdout);
    expect(proof).toMatchObject({ region: 'us-west-2', target: { snapshotId: 'the-copy' } });
  });

  test('without anything to verify says what there is', async () => {
    const { run, ports } = verifying('verified');
    expect((await run('verify')).stderr).toContain('hms has no backups yet');
    await ports.recoveryPoints.add(verified);
    const { stderr, exitCode } = await run('verify', '--region', 'eu-west-1');
    expect(stderr).toContain('no backup of hms that was asked for is available in eu-west-1');
    expect(exitCode).toBe(1);
  });

  test('of one among several databases wants its name', async () => {
    const { run } = cliWorld({ operations: all });
    const { stderr, exitCode } = await run('verify');
    expect(stderr).toContain('Name one with --database: hms, billing.');
    expect(exitCode).toBe(2);
  });
});

describe('verify --proof', () => {
  async function offline(change: (text: string) => string = (text) => text) {
    const { ports } = cliWorld({ operations });
    const signed = await signedProof('2026-11-21T08:00:00.000Z', {}, ports.signer);
    const files: Readonly<Record<string, string>> = {
      'proof.json': change(JSON.stringify(signed)),
      'key.pem': await ports.signer.publicKey(),
    };
    const world = cliWorld({ operations, host: { readFile: async (path) => files[path] ?? '' } });
    return { run: world.run, opened: world.opened };
  }

  test('needs nothing but the file and the key', async () => {
    const { run, opened } = await offline();
    const { stdout, exitCode } = await run('verify', '--proof', 'proof.json', '--key', 'key.pem');
    expect(stdout).toContain('The signature fits');
    expect(exitCode).toBe(0);
    expect(opened).toEqual([]);
  });

  test('refuses a proof that was changed by one digit', async () => {
    const { run } = await offline((text) => text.replace('"rows":4000000', '"rows":4000001'));
    const { stdout, exitCode } = await run('verify', '--proof', 'proof.json', '--key', 'key.pem');
    expect(stdout).toContain('The signature does not fit');
    expect(stdout).not.toContain('VERIFIED');
    expect(exitCode).toBe(1);
  });

  test.each([
    [['--proof', 'proof.json'], 2, 'needs both a proof and a key'],
    [['--proof', 'key.pem', '--key', 'key.pem'], 1, 'the proof is no JSON'],
    [['--proof', 'proof.json', '--key', 'proof.json'], 1, 'the key cannot be used'],
  ])('with the wrong files says what is wrong: %j', async (words, code, says) => {
    const { run } = await offline();
    const { stderr, exitCode } = await run('verify', ...words);
    expect(stderr).toContain(says);
    expect(exitCode).toBe(code);
  });
});

describe('restore --plan', () => {
  test('of the newest state goes by the log, which loses least', async () => {
    const { run } = await worldWith([verified], [{ measured: { restoreSeconds: 600, sizeBytes: 107_374_182_400 } }]);
    expect((await run('restore', '--plan')).stdout).toMatchInlineSnapshot(`
      "Plan to restore hms in us-east-1
        from           snapshot and transaction log
        to             2026-11-21 06:55 EST (2026-11-21T11:55:00.000Z)
        expected loss  5 min; the objective is 15 min
        expected time  about 10 min until it answers queries (1 measured); the objective is 1 h

        1. Stop the application, or let it read only: what it writes from now on is not in the restored database.
        2. Restore hms to 2026-11-21T11:55:00.000Z from snapshot and log into a new database in us-east-1; the old one stays as it is.
        3. Put it into the network of hms-primary and wait until it answers queries.
        4. Verify it before anybody uses it: schema, rows, content, foreign keys, sequences, invariants.
        5. Read the newest canary in it: its age is the data that was lost. Tell the owners.
        6. Point the application at it, watch it, and keep the old database until the new one has a verified backup of its own.

      Nothing was done: this version of Codeblue plans a restore and leaves carrying it out to you.
      "
    `);
  });

  test('of a time before the log goes by the newest backup before it', async () => {
    const old = aRecoveryPoint(at('2026-11-10T07:00:00Z'), { verdict: 'verified' });
    const { run } = await worldWith([verified, old]);
    const { plan } = JSON.parse((await run('restore', '--plan', '--to', '2026-11-11T07:00:00Z', '--json')).stdout);
    expect(plan).toMatchObject({ method: 'recovery-point', recoveryPointId: old.id, expectedLossSeconds: 86_400 });
    expect(plan.cautions[0]).toContain('It loses 1 d of data');
  });

  test('never takes a refused backup by itself, and warns of one that was named', async () => {
    const refused = aRecoveryPoint(at('2026-11-12T07:00:00Z'), { verdict: 'refused' });
    const old = aRecoveryPoint(at('2026-11-10T07:00:00Z'), { verdict: 'verified' });
    const { run } = await worldWith([refused, old]);
    const chosen = JSON.parse((await run('restore', '--plan', '--to', '2026-11-13T00:00:00Z', '--json')).stdout);
    expect(chosen.plan.recoveryPointId).toBe(old.id);
    expect((await run('restore', '--plan', '--point', refused.id)).stdout).toContain('This backup was refused by its verification');
  });

  test('would rather restore nothing by itself than a refused backup', async () => {
    const { run } = await worldWith([aRecoveryPoint(at('2026-11-12T07:00:00Z'), { verdict: 'refused' })]);
    const { exitCode, stdout } = await run('restore', '--plan', '--to', '2026-11-13T00:00:00Z');
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  });

  test('prefers a verified backup and tells of a newer one that is not', async () => {
    const { run, ports } = await worldWith([verified, pending]);
    ports.databases.failNext('describe', new InvalidInput('the database is gone'));
    const { plan } = JSON.parse((await run('restore', '--plan', '--json')).stdout);
    expect(plan).toMatchObject({
      recoveryPointId: verified.id,
      cautions: [expect.stringContaining('It loses 5 h'), expect.stringContaining(pending.id)],
    });
  });

  test.each([
    [['--to', 'yesterday'], 2, 'is no time with a zone'],
    [['--to', '2026-11-21T07:00:00'], 2, 'is no time with a zone'],
    [['--to', '2027-01-01T00:00:00Z'], 1, 'lies in the future'],
    [['--to', '2020-01-01T00:00:00Z'], 1, 'can be restored to 2020-01-01'],
    [['--point', 'cb-hms-daily-20200101t000000z'], 1, 'there is no backup'],
    [['--point', verified.id, '--region', 'us-west-2'], 1, 'It is in us-east-1: add --region us-east-1.'],
    [['--to', '2026-11-21T07:00:00Z', '--point', verified.id], 2, 'two different things'],
  ])('says what is wrong with %j', async (words, code, says) => {
    const { run } = await worldWith([verified]);
    const { stderr, exitCode, stdout } = await run('restore', '--plan', ...words);
    expect(stderr).toContain(says);
    expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' });
  });

  test('is all that this version does', async () => {
    const { run } = await worldWith([verified]);
    expect(await run('restore')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Add --plan') });
  });
});

describe('tasks and doctor', () => {
  test('every schedule is listed with its next run and last success', async () => {
    const { run, ports, clock } = cliWorld({ operations });
    const done = { task: 'check-log-freshness', key: '', scheduledAt: timestamp(at('2026-11-21T11:45:00Z')) };
    await ports.ledger.claim(done, clock.now(), 60);
    await ports.ledger.finish(done, clock.now());
    const { tasks } = JSON.parse((await run('tasks', '--json')).stdout);
    expect(tasks).toContainEqual(
      expect.objectContaining({
        task: 'check-log-freshness',
        schedule: 'every 15 min',
        nextAt: '2026-11-21T12:15:00.000Z',
        lastSuccessAt: done.scheduledAt,
      }),
    );
    expect((await run('tasks')).stdout).toMatch(/check-log-freshness +every 15 min +2026-11-21 07:15 EST +2026-11-21 06:45 EST/);
  });

  test('doctor exits with 1 for a problem and says when it did not look at the account', async () => {
    const { run } = cliWorld({ operations, account: memoryAccountFacts({}) });
    const { stdout, exitCode } = await run('doctor');
    expect(stdout).toContain('The AWS account was not looked at');
    expect(exitCode).toBe(1);
  });

  test('doctor of a lab has no placeholders to complain of', async () => {
    const { stdout, exitCode } = await cliWorld({ operations }).run('doctor', '--lab');
    expect(stdout).toContain('This is a lab');
    expect(exitCode).toBe(0);
  });
});
