import { minutes } from '../../../common/duration.ts';
import type { DatabaseId } from '../../../common/ids.ts';
import { databaseOf } from '../../../common/operations-lookup.ts';
import type { PortsFor } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { metricNames } from '../../../maintenance/metric-names.ts';
import { databaseNamesOf } from '../../../verify/canary.ts';
import { DeadlinePassed } from '../../../verify/scan.ts';
import { lostWrites } from '../lost-writes.ts';
import { exportLostWrites } from '../lost-writes-export.ts';
import { FailbackRecord, type ListedTable, listedRows } from '../models.ts';
import { type Forks, forksOf } from '../where-history-parts.ts';
import { act, found, whyNotLeading } from './failback-step.ts';

/** Kept at the end of a run, so that what was listed is returned and not lost. */
const spareMilliseconds = 60_000;

/** Of more tables the record would outgrow what Step Functions carries; the objects of the export are all there. */
const LISTED_TABLES = 300;

const listNeeds = ['coordination:read', 'replicas:describe', 'sql-servers:live', 'reports:read', 'reports:write'] as const;
type Context = PortsFor<(typeof listNeeds)[number]> & TaskContext;

/**
 * Lists the writes that nobody else got (row F8): full rows into the evidence bucket of the leading Region, counts into the record. A large
 * server takes several runs; each goes on after the last table of the one before.
 */
export const listLostWrites = defineStep({
  name: 'list-lost-writes',
  summary: 'Lists and exports the writes that only the old primary has.',
  network: 'production',
  timeout: minutes(15),
  memoryMegabytes: 1769,
  needs: listNeeds,
  input: FailbackRecord,
  async run(record, context) {
    const { coordination, reports, operations, clock } = context;
    const { request, listedUntil } = record;
    const disturbed = await whyNotLeading(coordination, record);
    if (disturbed !== undefined) return found(record, 'stopped', disturbed, clock.now());
    const forks = await forksOf(reports, request.leader);
    const ids = operations.databases.map(({ id }) => id);
    let listed = record;
    for (const id of listedUntil ? ids.slice(ids.indexOf(listedUntil.databaseId)) : ids) {
      const progress = await listDatabase(id, listed, forks, context);
      listed = progress.record;
      if (!progress.done) return found(listed, 'listing', describe(listed), clock.now());
    }
    await putMetrics(listed, context);
    return found(listed, 'listed', describe(listed), clock.now());
  },
});

interface Progress {
  readonly record: FailbackRecord;
  readonly done: boolean;
}

/** The databases of one old primary. */
async function listDatabase(databaseId: DatabaseId, record: FailbackRecord, forks: Forks, context: Context): Promise<Progress> {
  const { replicas, sqlServers, operations } = context;
  const { oldRegion, leader } = record.request;
  const { engine, databaseNames } = databaseOf(operations, databaseId);
  const stray = record.astray.find((each) => each.databaseId === databaseId);
  if (stray) {
    return {
      record: notListed(record, databaseId, `its replica ${stray.why}; what only the damaged one had is in it: it is kept in ${leader}`),
      done: true,
    };
  }
  const { role } = await replicas.describe(databaseId, oldRegion);
  if (role !== 'primary') return { record: notListed(record, databaseId, whyNoPrimary[role][engine]), done: true };
  const servers = { old: await sqlServers.live(databaseId, oldRegion), current: await sqlServers.live(databaseId, leader) };
  let listed = record;
  for (const databaseName of await databaseNamesOf(servers.old, databaseNames)) {
    const until = listed.listedUntil?.databaseId === databaseId ? listed.listedUntil : undefined;
    if (until && databaseName < until.databaseName) continue;
    const fork = forks(databaseId, databaseName);
    if (!fork) {
      listed = notListed(listed, databaseId, `nobody noted where ${databaseName} of ${leader} begins`);
      continue;
    }
    const after = until?.databaseName === databaseName ? until.table : undefined;
    const progress = await listTables({ databaseId, databaseName, after, fork, ...servers }, listed, context);
    if (!progress.done) return progress;
    listed = progress.record;
  }
  return { record: listed, done: true };
}

const rebuiltBefore = 'it is a replica already: an earlier failback listed and kept what stood there';
const whyNoPrimary = {
  replica: {
    'aurora-postgres':
      'Aurora has made it a replica by itself; what only it had is in the snapshot that Aurora took before, rds:unplanned-global-failover-...',
    'rds-postgres': rebuiltBefore,
  },
  absent: { 'aurora-postgres': 'there is nothing left of it', 'rds-postgres': 'there is nothing left of it' },
} as const;

function notListed(record: FailbackRecord, databaseId: DatabaseId, why: string): FailbackRecord {
  if (record.notListed.some((each) => each.databaseId === databaseId && each.why === why)) return record;
  return { ...record, notListed: [...record.notListed, { databaseId, why }] };
}

type Source = Pick<Parameters<typeof lostWrites>[0], 'old' | 'current' | 'databaseName' | 'fork' | 'after'> & {
  readonly databaseId: DatabaseId;
};

/** Table by table until time is short. @throws DeadlinePassed when not even one table could be read in a whole run */
async function listTables(source: Source, record: FailbackRecord, context: Context): Promise<Progress> {
  const { reports, clock, deadline, region } = context;
  const { databaseId, databaseName } = source;
  const { epoch, oldRegion } = record.request;
  // Objects are immutable: a run that is repeated writes beside what the one before left.
  const run = clock.now().toISOString().replace(/[-:.]/g, '').toLowerCase();
  const place = [epoch, databaseId, encodeURIComponent(databaseName), run].join('/');
  const exported = exportLostWrites(reports, region, `lost-writes/${place}`);
  return act(context, record, { action: 'list-lost-writes', resource: `${oldRegion}/${databaseId}/${databaseName}` }, async () => {
    let listed = record;
    try {
      for await (const { byKey: _, ...losses } of lostWrites({ ...source, clock, deadline, keep: exported.keep })) {
        const objects = await exported.finish(losses.table);
        listed = withTable(listed, { ...losses, databaseId, databaseName, objects: [...objects] });
        if (clock.now().getTime() > deadline.getTime() - spareMilliseconds) return { record: listed, done: false };
      }
    } catch (error) {
      if (error instanceof DeadlinePassed && listed !== record) return { record: listed, done: false };
      throw error;
    }
    return { record: listed, done: true };
  });
}

function withTable(record: FailbackRecord, listed: ListedTable): FailbackRecord {
  const { databaseId, databaseName, table } = listed;
  const nothing = listedRows(listed) === 0 && listed.incomplete === undefined;
  const lostRows = record.lostRows + listedRows(listed);
  const progress = { ...record, lostRows, listedUntil: { databaseId, databaseName, table } };
  return nothing || record.lost.length >= LISTED_TABLES ? progress : { ...progress, lost: [...record.lost, listed] };
}

function describe({ lostRows, lost, notListed: unlisted }: FailbackRecord): string {
  const tables = lost.filter((table) => listedRows(table) > 0).length;
  const found = lostRows === 0 ? 'no write was lost' : `${lostRows} rows in ${tables} tables were written on the old primary alone`;
  return [found, ...unlisted.map(({ databaseId, why }) => `${databaseId} was not listed: ${why}`)].join('; ');
}

async function putMetrics({ lost }: FailbackRecord, { metrics, operations }: Context): Promise<void> {
  for (const { id } of operations.databases) {
    const rows = lost.filter(({ databaseId }) => databaseId === id).reduce((sum, table) => sum + listedRows(table), 0);
    const dimensions = { Database: id };
    await metrics.put({ capability: 'failover', name: metricNames.failover.lostRows, value: rows, unit: 'Count', dimensions });
  }
}
