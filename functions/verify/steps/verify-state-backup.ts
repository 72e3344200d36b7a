import { audited } from '../../audit/audited.ts';
import type { ComparedStretch } from '../../backup/ports.ts';
import { hours, minutes, secondsBetween } from '../../common/duration.ts';
import { ServiceUnavailable } from '../../common/errors.ts';
import { timestamp } from '../../common/ids.ts';
import { defineStep } from '../../common/task.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { ComparisonTimedOut, RestoreTimedOut, TeardownTimedOut } from '../errors.ts';
import { StateVerificationRecord } from '../state-backup-models.ts';

const actor = 'machine/verify-state-backup';
/** DynamoDB restores a small table in 5 to 20 minutes, and a new table with indexes up to hours. */
const restoreLimit = hours(4);
/** Beside the restore. A page of 1 MB, some hundred items, takes some ten milliseconds: tens of millions of items (our estimate). */
const comparisonLimit = hours(6);
const removalLimit = minutes(30);
/** Kept of a run's time for the page that it is at. */
const spare = minutes(1);

/** Starts the restore of a table backup into a temporary table (row B5). */
export const startStateRestore = defineStep({
  name: 'start-state-restore',
  summary: "Restores a backup of one of Codeblue's own tables into a temporary table.",
  needs: ['state-backups:restore'],
  input: StateVerificationRecord,
  async run(record, context) {
    const { stateBackups, clock } = context;
    const backup = (await stateBackups.list(record.table)).find((each) => each.name === record.backupName);
    if (backup?.status !== 'available')
      throw new ServiceUnavailable(`backup ${record.backupName} of ${record.table} is ${backup?.status ?? 'not there yet'}`);
    await audited(context, { actor, action: 'restore-table', resource: record.into, details: { backup: record.backupName } }, () =>
      stateBackups.restore(record.table, record.backupName, record.into),
    );
    return { ...record, startedAt: timestamp(clock.now()), restoreStatus: 'creating' as const };
  },
});

/** One look at the temporary table. */
export const awaitStateRestore = defineStep({
  name: 'await-state-restore',
  summary: 'Looks whether the restored table is up.',
  needs: ['state-backups:restore'],
  input: StateVerificationRecord,
  async run(record, { stateBackups, clock }) {
    const status = await stateBackups.describeRestored(record.into);
    if (status === 'available') return { ...record, restoreStatus: 'available' as const };
    const waited = waitedFor(record, clock.now());
    if (waited > restoreLimit) throw new RestoreTimedOut(`table ${record.into} is ${status} after ${Math.round(waited)} s`);
    return { ...record, restoreStatus: 'creating' as const };
  },
});

/**
 * Every item that was last written before the backup must be in it, unchanged. A large table takes several runs: each goes on where the one before ended, and the
 * counts are judged when all of it was read.
 */
export const compareState = defineStep({
  name: 'compare-state',
  summary: 'Compares the restored table with the live one, item by item.',
  timeout: minutes(15),
  memoryMegabytes: 1024,
  needs: ['state-backups:restore'],
  input: StateVerificationRecord,
  async run({ comparison, ...record }, context) {
    const { stateBackups, metrics, clock, deadline } = context;
    const until = new Date(record.until);
    let so: ComparedStretch = comparison ?? { compared: 0, missing: 0, different: 0 };
    do so = together(so, await stateBackups.compare(record.table, record.into, until, so.next));
    while (so.next !== undefined && secondsBetween(clock.now(), deadline) > spare);
    const { compared, missing, different, next } = so;
    if (next !== undefined && waitedFor(record, clock.now()) > restoreLimit + comparisonLimit)
      throw new ComparisonTimedOut(
        `${compared} items of ${record.table} were compared in ${comparisonLimit / 3600} h, and it is not at its end`,
      );
    if (next !== undefined) return { ...record, comparison: { compared, missing, different, next } };
    await metrics.put({
      capability: 'backup',
      name: metricNames.backup.stateItemsLost,
      value: missing + different,
      unit: 'Count',
      dimensions: { Table: record.table },
    });
    const sound = missing + different === 0;
    return {
      ...record,
      compared,
      checks: [
        ...record.checks,
        {
          id: 'content' as const,
          says: 'Every item written before the backup is in it, unchanged.',
          result: sound ? ('passed' as const) : ('failed' as const),
          findings: [`${compared} compared, ${missing} missing, ${different} different`],
        },
      ],
    };
  },
});

const together = (before: ComparedStretch, { compared, missing, different, next }: ComparedStretch): ComparedStretch => ({
  compared: before.compared + compared,
  missing: before.missing + missing,
  different: before.different + different,
  ...(next === undefined ? {} : { next }),
});

/** Seconds since the restore was asked for. */
const waitedFor = ({ startedAt }: Pick<StateVerificationRecord, 'startedAt'>, now: Date): number =>
  startedAt ? secondsBetween(new Date(startedAt), now) : 0;

/** Removes the temporary table, whatever happened before, and looks whether it is gone. */
export const removeStateRestore = defineStep({
  name: 'remove-state-restore',
  summary: 'Removes the restored table and looks whether it is gone.',
  needs: ['state-backups:restore'],
  input: StateVerificationRecord,
  async run(record, context) {
    const { stateBackups, clock } = context;
    if ((await stateBackups.describeRestored(record.into)) === 'absent') return { ...record, removal: 'removed' as const };
    if (waitedFor(record, clock.now()) > restoreLimit + comparisonLimit + removalLimit)
      throw new TeardownTimedOut(`table ${record.into} is still there`);
    await audited(context, { actor, action: 'remove-restored-table', resource: record.into }, () =>
      stateBackups.removeRestored(record.into),
    );
    return { ...record, removal: 'removing' as const };
  },
});

/** Verified only when the comparison ran and passed, and the temporary table is gone. */
export const recordStateVerdict = defineStep({
  name: 'record-state-verdict',
  summary: "Records the verdict on a backup of one of Codeblue's own tables.",
  needs: [],
  input: StateVerificationRecord,
  async run(record, context) {
    const content = record.checks.find((check) => check.id === 'content');
    const verdict =
      !record.failure && content?.result === 'passed' && record.removal === 'removed' ? ('verified' as const) : ('refused' as const);
    const act = {
      actor,
      action: 'record-state-verdict',
      resource: `${record.table}/${record.backupName}`,
      details: { verdict, compared: record.compared ?? 0, failure: record.failure?.Error ?? null },
    };
    return audited(context, act, async () => ({ ...record, verdict }));
  },
});
