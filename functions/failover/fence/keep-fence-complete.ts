import { z } from 'zod';
import { audited } from '../../audit/audited.ts';
import type { Clock } from '../../common/clock.ts';
import { minutes } from '../../common/duration.ts';
import { DatabaseId } from '../../common/ids.ts';
import { databaseOf } from '../../common/operations-lookup.ts';
import { every } from '../../common/schedule.ts';
import { defineTask } from '../../common/task.ts';
import { databaseNamesOf } from '../../verify/canary.ts';
import type { SqlServer } from '../../verify/ports.ts';
import { completeFence, type FenceCompletion, gapsOfFence } from './complete-fence.ts';
import { FenceForbidden } from './errors.ts';

/** A table that was in use is tried again after a pause: after the last try, by the next run. */
const tries = 3;
const pauseMilliseconds = 2_000;

/**
 * Keeps the fence complete: new tables, triggers that were dropped or disabled, another version's definitions. Every minute, because until then a new table
 * keeps the old primary's door open. The number of unfenced tables is told by the guardian (`UnfencedTables`), who looks for himself.
 */
export const keepFenceComplete = defineTask({
  name: 'keep-fence-complete',
  summary: 'Fences every application table of the live databases that is not fenced yet.',
  schedule: ({ databases, failover }) =>
    failover.mode === 'off' ? [] : databases.map(({ id }) => ({ key: id, schedule: every(minutes(1)), input: { databaseId: id } })),
  runsIn: 'active',
  network: 'production',
  catchUp: false,
  timeout: minutes(5),
  memoryMegabytes: 256,
  needs: ['sql-servers:live'],
  input: z.strictObject({ databaseId: DatabaseId }),
  async run({ databaseId }, context) {
    const { operations, sqlServers, region, clock, log } = context;
    const server = await sqlServers.live(databaseId, region);
    const result = { fenced: [] as string[], busy: [] as string[], forbidden: [] as string[] };
    for (const name of await databaseNamesOf(server, databaseOf(operations, databaseId).databaseNames)) {
      const gaps = await gapsOfFence(server, name);
      if (!gaps) continue;
      result.forbidden.push(...gaps.forbidden.map((table) => `${name}.${table}`));
      if (!gaps.lease && gaps.tables.length === 0) continue;
      const details = { lease: gaps.lease, tables: listed(gaps.tables) };
      const act = { actor: 'task/keep-fence-complete', action: 'complete-fence', resource: `${databaseId}/${name}`, details };
      const { fenced, busy } = await audited(context, act, () => completeWithRetries(server, name, clock));
      result.fenced.push(...fenced.map((table) => `${name}.${table}`));
      result.busy.push(...busy.map((table) => `${name}.${table}`));
    }
    if (result.busy.length > 0) log.warn('tables are in use and could not be fenced yet', { databaseId, tables: listed(result.busy) });
    if (result.forbidden.length > 0) {
      throw new FenceForbidden(`${databaseId}: Codeblue’s role may not fence ${listed(result.forbidden)}`, {
        hint: 'Grant it the role of their owner: see "The role in the database" in docs/operations.md.',
      });
    }
    return { fenced: result.fenced, busy: result.busy };
  },
});

async function completeWithRetries(
  server: SqlServer,
  databaseName: string,
  clock: Pick<Clock, 'sleep'>,
): Promise<Pick<FenceCompletion, 'fenced' | 'busy'>> {
  const fenced: string[] = [];
  for (let left = tries - 1; ; left--) {
    const completion = await completeFence(server, databaseName);
    fenced.push(...completion.fenced);
    if (completion.busy.length === 0 || left === 0) return { fenced, busy: completion.busy };
    await clock.sleep(pauseMilliseconds);
  }
}

/** Enough to know where to look; names of tables, never what is in them. */
const listed = (names: readonly string[]): string =>
  names.length > 10 ? `${names.slice(0, 10).join(', ')} and ${names.length - 10} more` : names.join(', ');
