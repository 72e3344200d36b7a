import { z } from 'zod';
import { minutes } from '../common/duration.ts';
import { DatabaseId } from '../common/ids.ts';
import { databaseOf } from '../common/operations-lookup.ts';
import { every } from '../common/schedule.ts';
import { defineTask } from '../common/task.ts';
import { metricNames } from '../maintenance/metric-names.ts';
import { databaseNamesOf, installCanary, trimCanary, writeCanary } from '../verify/canary.ts';

/** Scheduler fires within the minute, not on the second: each run writes until the next one has surely begun. */
const runMilliseconds = 65_000;

/**
 * Writes a row with a sequence number and the time into the live database every few seconds. The last one that survives a restore or a
 * failover tells how much data was lost, without trusting anybody's metrics (row V3).
 */
export const writeCanaries = defineTask({
  name: 'write-canary',
  summary: 'Writes a canary row into each live database every few seconds.',
  schedule: (operations) => operations.databases.map(({ id }) => ({ key: id, schedule: every(minutes(1)), input: { databaseId: id } })),
  runsIn: 'active',
  network: 'production',
  catchUp: false,
  timeout: minutes(2),
  memoryMegabytes: 256,
  needs: ['sql-servers:live'],
  input: z.strictObject({ databaseId: DatabaseId }),
  async run({ databaseId }, { operations, sqlServers, metrics, region, clock, deadline }) {
    const server = await sqlServers.live(databaseId, region);
    const names = await databaseNamesOf(server, databaseOf(operations, databaseId).databaseNames);
    const until = Math.min(clock.now().getTime() + runMilliseconds, deadline.getTime() - 5_000);
    const written = await Promise.all(
      names.map(async (name) => {
        const session = await server.connect(name);
        try {
          await installCanary(session);
          let count = 0;
          let milliseconds = 0;
          for (; clock.now().getTime() < until; count++) {
            const began = clock.now().getTime();
            await writeCanary(session, 'canary');
            milliseconds += clock.now().getTime() - began;
            await clock.sleep(operations.canary.interval * 1000);
          }
          await trimCanary(session, operations.canary.keep);
          return { count, milliseconds };
        } finally {
          await session.close();
        }
      }),
    );
    const total = written.reduce((sum, { count }) => sum + count, 0);
    if (total > 0) {
      await metrics.put({
        capability: 'backup',
        name: metricNames.backup.canaryCommitSeconds,
        value: written.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / total / 1000,
        unit: 'Seconds',
        dimensions: { Database: databaseId },
      });
    }
    return { written: total };
  },
});
