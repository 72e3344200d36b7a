import { formatSeconds, secondsBetween } from '../../common/duration.ts';
import { type Timestamp, timeSlug } from '../../common/ids.ts';
import { documentKeys } from '../report/report-document.ts';
import { type FailbackRecord, listedRows } from './models.ts';

/**
 * A failback that did what it was asked for has one report, however often its executions died. One that stopped may be started again, so each stop has its own.
 */
export function failbackReportKeys(record: FailbackRecord, now: Date): ReturnType<typeof documentKeys> {
  const { epoch, failbackId } = record.request;
  const stem = `failbacks/${String(epoch).padStart(6, '0')}/${failbackId}${isComplete(record) ? '' : `-stopped-${timeSlug(now)}`}`;
  return documentKeys(stem);
}

/** Whether it did what it was asked for. */
export const isComplete = ({ status, failure }: FailbackRecord): boolean =>
  failure === undefined && (status === 'handed-over' || status === 'stays');

/** Everything that the failback found and did: counts, names and times. */
export function failbackReport(record: FailbackRecord, endedAt: Timestamp): Readonly<Record<string, unknown>> {
  const { failure: _, waitingSince: __, listedUntil: ___, ...rest } = record;
  return { format: 'codeblue-failback-report/1', ...rest, complete: isComplete(record), stoppedBy: causeOf(record), endedAt };
}

/** Why it stopped: what a state threw, by name, or what the last step said. */
export function causeOf(record: FailbackRecord): string | undefined {
  if (isComplete(record)) return undefined;
  const { failure, says } = record;
  const name = typeof failure === 'object' && failure !== null && 'Error' in failure ? String(failure.Error) : undefined;
  return name === undefined ? says : `${name} after "${says}"`;
}

/** For people. */
export function failbackReportMarkdown(record: FailbackRecord, endedAt: Timestamp): string {
  const { request, lost, notListed, kept, proven, milestones, lostRows } = record;
  const cause = causeOf(record);
  return [
    `# Failback to ${request.oldRegion}, epoch ${request.epoch}`,
    '',
    `${request.reason}. Asked for by ${request.requestedBy} at ${request.requestedAt}, ended at ${endedAt}: ${cause === undefined ? record.says : `stopped: ${cause}`}.`,
    '',
    `## Writes that only ${request.oldRegion} had`,
    '',
    ...notListed.map(({ databaseId, why }) => `- ${databaseId} was not listed: ${why}`),
    ...(notListed.length > 0 ? [''] : []),
    ...(lost.length === 0 ? ['None was found.', ''] : [`${lostRows} rows. The rows themselves are in the export.`, '', ...lossTable(lost)]),
    '## What was done',
    '',
    ...kept.map(({ databaseId, recoveryPointId }) => `- what the old primary of ${databaseId} held is kept as ${recoveryPointId}`),
    ...proven.map(({ databaseId, at }) => `- the replica of ${databaseId} was proven equal at ${at}`),
    ...milestones.map(({ name, at }) => `- ${name} after ${formatSeconds(secondsBetween(new Date(request.requestedAt), new Date(at)))}`),
    '',
  ].join('\n');
}

function lossTable(lost: FailbackRecord['lost']): readonly string[] {
  return [
    '| Table | inserted | updated | deleted | changed since by the new primary | all |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lost.map((table) => {
      const { databaseId, databaseName, inserted, updated, deleted, changedSince } = table;
      return `| ${databaseId}/${databaseName} ${table.table} | ${inserted} | ${updated} | ${deleted} | ${changedSince} | ${listedRows(table)} |`;
    }),
    '',
    ...lost.flatMap(({ table, incomplete }) => (incomplete === undefined ? [] : [`- ${table}: ${incomplete}`])),
    '',
  ];
}
