import type { Clock } from '../common/clock.ts';
import { messageOf } from '../common/errors.ts';
import type { Region } from '../common/ids.ts';
import type { Database, Operations } from '../common/operations.ts';
import { regionsOf } from '../common/operations-lookup.ts';
import type { Ports } from '../common/ports.ts';
import { occurrencesAfter } from '../common/schedule.ts';
import type { AnyTask } from '../common/task.ts';
import { ledgerKey } from '../maintenance/ledger-key.ts';
import { runsHere } from '../maintenance/runs-here.ts';
import { type DatabaseStatus, databaseStatus } from './database-status.ts';

/** What the deployment is asked through. */
export interface StatusSources {
  readonly ports: Pick<Ports, 'databases' | 'ledger' | 'proofs' | 'recoveryPoints'>;
  readonly operations: Operations;
  readonly clock: Clock;
  /** The Region of the live databases. */
  readonly region: Region;
}

/** One schedule of one task: when it runs next, when it last ran well. */
export interface ScheduleStatus {
  readonly task: string;
  /** Tells several schedules of one task apart; empty when there is one. */
  readonly key: string;
  readonly nextAt: string;
  /** The scheduled time of the newest run that succeeded, of the Region that is furthest behind where several run it; absent when none did, or one of them never did. */
  readonly lastSuccessAt?: string;
}

/** Verifications that trend and forecast are drawn from: three months of four a day. */
const proofsRead = 400;

/** @throws ServiceUnavailable, InvalidInput when the inventory cannot be read; a live database that does not answer is a problem in the result */
export async function readDatabaseStatus({ ports, operations, clock, region }: StatusSources, database: Database): Promise<DatabaseStatus> {
  const [points, proofs, live] = await Promise.all([
    ports.recoveryPoints.list(database.id),
    ports.proofs.list(database.id, proofsRead),
    ports.databases.describe(database.id, region).catch((error: unknown) => ({ unknownBecause: messageOf(error) })),
  ]);
  return databaseStatus({ database, points, proofs, live }, operations.verification, clock.now());
}

/** Every schedule of the tasks, the next to run first. */
export async function readSchedules(
  { ports, operations, clock }: Pick<StatusSources, 'operations' | 'clock'> & { readonly ports: Pick<Ports, 'ledger'> },
  tasks: readonly AnyTask[],
): Promise<readonly ScheduleStatus[]> {
  const schedules = tasks.flatMap((task) => task.schedules(operations).map((run) => ({ task, run })));
  const statuses = await Promise.all(
    schedules.map(async ({ task, run }) => {
      const [next] = occurrencesAfter(run.schedule, operations.timeZone, clock.now(), 1);
      const regions = regionsOf(operations).filter((region) => runsHere(task, operations, region));
      const keys = new Set(regions.map((region) => ledgerKey(task, run.key, region)));
      // One Region's success says nothing of what another one runs for itself.
      const last = await Promise.all([...keys].map(async (key) => (await ports.ledger.lastSuccess(task.name, key))?.scheduledAt ?? ''));
      const [behind = ''] = last.toSorted();
      return { task: task.name, key: run.key, nextAt: next?.toISOString() ?? '', ...(behind ? { lastSuccessAt: behind } : {}) };
    }),
  );
  return statuses.sort((a, b) => a.nextAt.localeCompare(b.nextAt) || a.task.localeCompare(b.task) || a.key.localeCompare(b.key));
}
