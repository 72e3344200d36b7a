import { formatSeconds, minutes, secondsBetween } from '../../../common/duration.ts';
import { timestamp } from '../../../common/ids.ts';
import { databaseOf } from '../../../common/operations-lookup.ts';
import type { Ports } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { metricNames } from '../../../maintenance/metric-names.ts';
import { databaseNamesOf, installCanary, writeCanary } from '../../../verify/canary.ts';
import { type FailoverPlan, FailoverRecord } from '../../models.ts';
import { enterPhase, outageStart } from '../../report/phases.ts';
import { act, found, freshStanding, pastItsEpoch } from './failover-step.ts';

/** Writes a canary into each database of the new primary: only a committed write says that it is one. The recovery time of the database ends here. */
export const confirmWrites = defineStep({
  name: 'confirm-writes',
  summary: 'Confirms with canary writes that the new primary accepts writes.',
  network: 'production',
  timeout: minutes(1),
  needs: ['coordination:read', 'sql-servers:live'],
  input: FailoverRecord,
  async run(record, context) {
    const { coordination, metrics, clock } = context;
    const { plan } = record;
    const standing = await freshStanding(coordination, record);
    if (standing !== 'leads') return pastItsEpoch(record, standing);
    await act(context, record, { action: 'confirm-writes', resource: `epoch/${plan.epoch}` }, async () => {
      // One after the other: none goes on under an outcome that is written already.
      for (const database of plan.databases) await writeInto(database, plan, context);
    });
    const now = clock.now();
    const value = secondsBetween(new Date(outageStart(plan)), now);
    await metrics.put({
      capability: 'failover',
      name: metricNames.failover.rtoSeconds,
      value,
      unit: 'Seconds',
      dimensions: { Objective: 'database' },
    });
    const says = `a write was committed in each database of ${plan.to}, ${formatSeconds(value)} after the trouble began`;
    return { ...enterPhase(found(record, 'confirmed', says), 'traffic', now), confirmedAt: record.confirmedAt ?? timestamp(now) };
  },
});

async function writeInto(
  { databaseId }: FailoverPlan['databases'][number],
  { to, epoch }: FailoverPlan,
  { sqlServers, operations }: Pick<Ports, 'sqlServers'> & TaskContext,
): Promise<void> {
  const server = await sqlServers.live(databaseId, to);
  for (const name of await databaseNamesOf(server, databaseOf(operations, databaseId).databaseNames)) {
    const session = await server.connect(name);
    try {
      await installCanary(session);
      await writeCanary(session, `failover ${epoch}`);
    } finally {
      await session.close();
    }
  }
}
