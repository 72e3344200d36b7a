import { minutes, seconds } from '../../../common/duration.ts';
import { NotFound, ServiceUnavailable } from '../../../common/errors.ts';
import { timestamp } from '../../../common/ids.ts';
import type { Database } from '../../../common/operations.ts';
import { databaseOf } from '../../../common/operations-lookup.ts';
import type { PortsFor } from '../../../common/ports.ts';
import { SqlFailed } from '../../../common/sql-failed.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { databaseNamesOf, installCanary, writeCanary } from '../../../verify/canary.ts';
import type { SqlServer } from '../../../verify/ports.ts';
import { fenceOver } from '../../fence/fence-over.ts';
import { leaseEndMicros } from '../../lease/lease.ts';
import { RehearsalRecord, type RehearsedDatabase } from '../models.ts';
import { act, found, inPhase, stopped } from './rehearsal-step.ts';

/** Long enough to write a row; nobody renews it afterwards. */
const leaseLength = seconds(60);
/** PostgreSQL still replays: "cannot execute ... in a read-only transaction", or it is starting up. */
const notYet = new Set(['25006', '57P03']);

const writeNeeds = ['sql-servers:restored'] as const;
type Context = PortsFor<(typeof writeNeeds)[number]> & TaskContext;

/**
 * Two of a kind, because they run in two networks: a temporary replica of RDS must lie in the production VPC, a clone of Aurora lies in the isolated
 * one. Each writes into the databases of its engine.
 */
const writerInto = (name: string, engine: Database['engine'], network: 'production' | 'isolated') =>
  defineStep({
    name,
    summary: `Writes to the promoted copies of ${engine} under a lease of their own.`,
    network,
    timeout: minutes(2),
    needs: writeNeeds,
    input: RehearsalRecord,
    async run(record, context) {
      const mine = (each: RehearsedDatabase) => databaseOf(context.operations, each.databaseId).engine === engine;
      const waiting = record.databases.find((each) => mine(each) && each.writtenAt === undefined);
      if (!waiting) return found(record, 'written', `every copy of ${engine} took a write`);
      const begun = inPhase(record, 'write', context.clock.now());
      try {
        const server = await context.sqlServers.restored({ ...waiting, region: record.request.region });
        const next = await oneStepFurther(server, waiting, begun, context);
        if (next === 'refused') return stopped(begun, `${waiting.restoredId} takes no lease of epoch ${record.request.epoch}`);
        if (next === 'replica') return found(record, 'promoting', `${waiting.restoredId} is still a replica`);
        const databases = begun.databases.map((each) => (each.databaseId === waiting.databaseId ? next : each));
        return found(
          { ...begun, databases },
          'up',
          `${waiting.restoredId}: ${next.writtenAt ? 'a write was committed' : 'noted what arrived'}`,
        );
      } catch (error) {
        const passes = error instanceof ServiceUnavailable || error instanceof NotFound;
        if (!passes && !(error instanceof SqlFailed && notYet.has(error.sqlState))) throw error;
        return found(record, 'promoting', `${waiting.restoredId} does not accept writes yet`);
      }
    },
  });

/**
 * First notes what arrived, then, in a run of its own, writes: after the first own write it could not be told any more, and a run may
 * be repeated.
 */
async function oneStepFurther(
  server: SqlServer,
  database: RehearsedDatabase,
  record: RehearsalRecord,
  context: Context,
): Promise<RehearsedDatabase | 'replica' | 'refused'> {
  const { operations, clock } = context;
  const { databaseId, restoredId } = database;
  const { databaseNames } = databaseOf(operations, databaseId);
  const fence = await fenceOver(server, databaseNames);
  try {
    const state = await fence.state();
    if (state.isReplica) return 'replica';
    if (database.arrived === undefined) {
      const { canary } = await fence.position();
      if (!canary) throw new NotFound(`${restoredId} shows no canary`);
      return { ...database, arrived: canary };
    }
    const { region } = record.request;
    const writes = await act(context, record, { action: 'write-to-rehearsal', resource: restoredId }, async () => {
      const lease = { epoch: state.epoch, holder: region, untilMicros: leaseEndMicros(await fence.clock(), leaseLength) };
      if (state.installed && !(await fence.renew(lease))) return undefined;
      return writeIntoEach(server, databaseNames, record.request.rehearsalId);
    });
    return writes === undefined ? 'refused' : { ...database, writes, writtenAt: timestamp(clock.now()) };
  } finally {
    await fence.end();
  }
}

/** @returns how many rows were committed */
async function writeIntoEach(server: SqlServer, names: readonly string[] | undefined, label: string): Promise<number> {
  const databases = await databaseNamesOf(server, names);
  for (const name of databases) {
    const session = await server.connect(name);
    try {
      await installCanary(session);
      await writeCanary(session, label);
    } finally {
      await session.close();
    }
  }
  return databases.length;
}

export const writeToReplica = writerInto('write-to-replica', 'rds-postgres', 'production');
export const writeToClone = writerInto('write-to-clone', 'aurora-postgres', 'isolated');
