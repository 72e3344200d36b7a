import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../functions/common/clock.ts';
import { DatabaseId, RecoveryPointId } from '../../../functions/common/ids.ts';
import { completeFence } from '../../../functions/failover/fence/complete-fence.ts';
import { fenceOver } from '../../../functions/failover/fence/fence-over.ts';
import type { Fence } from '../../../functions/failover/ports.ts';
import { installCanary } from '../../../functions/verify/canary.ts';
import { inspectRestored } from '../../../functions/verify/inspect-restored.ts';
import { judge } from '../../../functions/verify/judge.ts';
import { openManifest } from '../../../functions/verify/open-manifest.ts';
import { type Load, loadSchema, startLoad } from '../../support/load.ts';
import { copyPhysically, serve, startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { epoch, LONG, REFUSED, SECOND, virginia } from './fenced-database.ts';

let live: TestPostgres;
let load: Load;
let fence: Fence;

beforeAll(async () => {
  live = await startPostgres();
  await live.sql('postgres', loadSchema);
  const session = await live.server.connect('postgres');
  await installCanary(session);
  await session.close();
  await completeFence(live.server, 'postgres');
  fence = await fenceOver(live.server);
  await fence.renew({ epoch: epoch(1), holder: virginia, untilMicros: (await fence.clock()) + LONG });
  load = startLoad(live.server, 'postgres', 3, 7);
}, 60_000);

afterAll(async () => {
  await load?.stop();
  await fence?.end();
  await live?.stop();
});

const within = () => new Date(Date.now() + 60_000);

test('a copy of a fenced database under load verifies clean, and brings its fence along', async () => {
  const opened = await openManifest(live.server, {
    databaseId: DatabaseId.parse('hms'),
    recoveryPointId: RecoveryPointId.parse('cb-hms-fenced'),
    databaseNames: ['postgres'],
    deadline: within(),
    clock: systemClock,
  });
  // The last that the copy sees of a lease: one that has ended, as any has by the time a copy is restored.
  const directory = await copyPhysically(live);
  const manifest = await opened.complete();
  const copy = await serve(directory);
  try {
    const inspection = await inspectRestored(copy.server, { manifest, invariants: [], deadline: within(), clock: systemClock });
    const checks = judge(inspection, manifest, { target: { kind: 'recovery-point' } });
    expect(checks.filter(({ result }) => result === 'failed')).toEqual([]);

    const copied = await fenceOver(copy.server);
    expect(await copied.state()).toMatchObject({ installed: true, epoch: 1, holder: virginia, unfenced: [] });
    expect(await copied.renew({ epoch: epoch(2), holder: virginia, untilMicros: (await copied.clock()) - SECOND })).toBe(true);
    await expect(copy.sql('postgres', `insert into log values (1, 'x')`)).rejects.toMatchObject({ sqlState: REFUSED });
    await copied.end();
    // As docs/operations.md says, for a copy that is to be used without Codeblue.
    await copy.sql('postgres', 'drop schema codeblue cascade');
    await copy.sql('postgres', `insert into log values (1, 'x')`);
  } finally {
    await copy.stop();
  }
}, 60_000);
