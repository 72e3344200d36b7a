import { minutes } from '../../../common/duration.ts';
import { InvalidInput, ServiceUnavailable } from '../../../common/errors.ts';
import { timestamp } from '../../../common/ids.ts';
import { databaseOf } from '../../../common/operations-lookup.ts';
import { defineStep } from '../../../common/task.ts';
import { inTheWay } from '../guard.ts';
import { endLongQueries } from '../long-queries.ts';
import { readLeadership } from '../look.ts';
import { RunbookRecord } from '../models.ts';
import { act, found } from './runbook-step.ts';

/** Apart from the other acts, because it alone needs the network of the live database. */
export const endLongQueriesStep = defineStep({
  name: 'end-long-queries',
  summary: 'Ends statements of the application that have run for too long in a live database.',
  network: 'production',
  timeout: minutes(2),
  needs: ['coordination:read', 'sql-servers:live'],
  input: RunbookRecord,
  async run(record, context) {
    const { operations, coordination, sqlServers, clock, region } = context;
    const { act: planned } = record;
    if (planned?.kind !== 'end-long-queries') throw new InvalidInput('nothing was written down that is to be done here');
    const stopped = inTheWay(await readLeadership({ coordination, operations }), clock.now());
    if (stopped !== undefined) return found(record, 'refused', stopped);
    const { databaseId, olderThanSeconds } = planned;
    const resource = `${region}/${databaseId}`;
    const { ended, left } = await act(context, record, { action: planned.kind, resource, details: { olderThanSeconds } }, async () => {
      const server = await sqlServers.live(databaseId, region);
      const session = await server.connect(databaseOf(operations, databaseId).databaseNames?.[0] ?? 'postgres');
      try {
        return await endLongQueries(session, olderThanSeconds);
      } finally {
        await session.close();
      }
    });
    if (ended.length === 0 && left.length > 0) {
      throw new ServiceUnavailable(`${left.length} sessions of ${databaseId} could not be ended`, {
        hint: 'Grant pg_signal_backend to Codeblue’s role.',
      });
    }
    const did = `ended ${ended.length} statements of ${databaseId} in ${region}${left.length > 0 ? `; ${left.length} could not be ended` : ''}`;
    return { ...found(record, 'acted', did), actedAt: timestamp(clock.now()), did };
  },
});
