import { z } from 'zod';
import { objectiveFor } from '../../backup/recovery-objective.ts';
import { formatSeconds, secondsBetween } from '../../common/duration.ts';
import { DatabaseId, Timestamp } from '../../common/ids.ts';
import type { Database, Operations } from '../../common/operations.ts';
import { databaseOf } from '../../common/operations-lookup.ts';
import { parseAs } from '../../common/parse.ts';
import { PhaseTime } from '../models.ts';
import { failureSentence } from '../move/failure-sentence.ts';
import { forecast } from '../report/forecast.ts';
import { phaseSeconds } from '../report/phases.ts';
import { DrillTrend, drillTrend, trendSentence } from './drill-trend.ts';
import { type RehearsalRecord, RehearsalRequest, type RehearsedDatabase } from './models.ts';

/** One question that the rehearsal answers with a figure. */
const Objective = z.strictObject({
  subject: z.string(),
  /** What was measured, seconds; absent when it could not be. */
  seconds: z.number().optional(),
  objectiveSeconds: z.number(),
  kept: z.boolean(),
  /** How the figure came about. */
  says: z.string(),
});
type Objective = z.output<typeof Objective>;

export const RehearsalReport = z.strictObject({
  format: z.literal('codeblue-rehearsal-report/1'),
  outcome: z.enum(['passed', 'missed', 'aborted']),
  request: RehearsalRequest,
  endedAt: Timestamp,
  stoppedBy: z.string().optional(),
  objectives: z.array(Objective),
  databases: z.array(
    z.strictObject({
      databaseId: DatabaseId,
      restoredId: z.string(),
      /** From asking for the promotion to the first write that the copy committed. Absent for a clone, which is not promoted. */
      promotionSeconds: z.number().optional(),
      /** Between the newest canary known of the live database and the newest that the copy had. */
      lossSeconds: z.number().optional(),
      lostCanaries: z.int().optional(),
      writes: z.int(),
      trend: DrillTrend.optional(),
    }),
  ),
  phases: z.array(PhaseTime),
  teardown: z.strictObject({ requestedAt: Timestamp, removedAt: Timestamp.optional() }).optional(),
});
export type RehearsalReport = z.output<typeof RehearsalReport>;

/**
 * What a rehearsal came to. It passes when it went through to its end, everything temporary is gone, and every objective was kept.
 *
 * @param earlier reports of earlier rehearsals in the same Region, for the trend
 */
export function rehearsalReport(
  record: RehearsalRecord,
  operations: Operations,
  earlier: readonly RehearsalReport[],
  endedAt: Timestamp,
): RehearsalReport {
  const { request, teardown, phases } = record;
  const stoppedBy = whyAborted(record);
  const databases = record.databases.map((each) => measured(each, databaseOf(operations, each.databaseId), earlier, endedAt));
  const objectives = databases.flatMap((each) => objectivesOf(each, databaseOf(operations, each.databaseId), operations));
  const outcome = stoppedBy !== undefined ? 'aborted' : objectives.length > 0 && objectives.every(({ kept }) => kept) ? 'passed' : 'missed';
  return {
    format: 'codeblue-rehearsal-report/1',
    ...{ outcome, request, endedAt, objectives, databases, phases, teardown },
    ...(stoppedBy === undefined ? {} : { stoppedBy }),
  };
}

function whyAborted({ failure, stoppedBy, teardown, databases, says }: RehearsalRecord): string | undefined {
  if (failure !== undefined) return `${failureSentence(failure)}; before it: ${stoppedBy ?? says}`.slice(0, 1000);
  if (stoppedBy !== undefined) return stoppedBy;
  if (teardown?.removedAt === undefined) return 'there is no receipt for the removal of the temporary replicas';
  if (databases.length === 0 || databases.some(({ writtenAt }) => writtenAt === undefined)) return 'not every copy took a write';
  return undefined;
}

function measured(
  database: RehearsedDatabase,
  { engine }: Database,
  earlier: readonly RehearsalReport[],
  now: Timestamp,
): RehearsalReport['databases'][number] {
  const { databaseId, restoredId, partedAt, writtenAt, live, arrived, writes } = database;
  const between = (from: string, to: string) => Math.max(0, secondsBetween(new Date(from), new Date(to)));
  const promotionSeconds = partedAt && writtenAt && engine !== 'aurora-postgres' ? between(partedAt, writtenAt) : undefined;
  const before = earlier.flatMap((report) => {
    const seconds = report.databases.find((each) => each.databaseId === databaseId)?.promotionSeconds;
    return seconds === undefined ? [] : [{ at: new Date(report.endedAt), seconds }];
  });
  const trend = promotionSeconds === undefined ? undefined : drillTrend([...before, { at: new Date(now), seconds: promotionSeconds }]);
  return {
    ...{ databaseId, restoredId, writes },
    ...(promotionSeconds === undefined ? {} : { promotionSeconds }),
    ...(live && arrived
      ? { lossSeconds: between(arrived.writtenAt, live.canary.writtenAt), lostCanaries: Math.max(0, live.canary.seq - arrived.seq) }
      : {}),
    ...(trend ? { trend } : {}),
  };
}

/**
 * Recovery time: noticing, deciding, fencing and opening cannot be rehearsed beside a system that lives; their expected times are added to the promotion
 * that was measured. A clone of Aurora is not promoted: all of its time is expected, and the report says so.
 */
function objectivesOf(
  { databaseId, promotionSeconds, lossSeconds, lostCanaries }: RehearsalReport['databases'][number],
  database: Database,
  operations: Operations,
): readonly Objective[] {
  const { phases, database: whole } = forecast(operations, {
    kind: 'failover',
    needsApproval: operations.failover.mode !== 'automatic',
  });
  const promote = phases.find(({ phase }) => phase === 'promote')?.expectedSeconds ?? 0;
  const rest = whole.expectedSeconds - promote;
  const isClone = database.engine === 'aurora-postgres';
  const recovery = isClone ? whole.expectedSeconds : promotionSeconds === undefined ? undefined : rest + promotionSeconds;
  const objective = (subject: string, seconds: number | undefined, objectiveSeconds: number, says: string): Objective => ({
    ...{ subject, objectiveSeconds, says, kept: seconds !== undefined && seconds <= objectiveSeconds },
    ...(seconds === undefined ? {} : { seconds }),
  });
  return [
    objective(
      `recovery time of ${databaseId}`,
      recovery,
      Math.min(operations.failover.objectives.database, database.objectives.rto),
      howRecovered(isClone, promotionSeconds, rest),
    ),
    objective(
      `data loss of ${databaseId}`,
      lossSeconds,
      objectiveFor('region-loss', database.objectives),
      lossSeconds === undefined
        ? 'no observer knew a canary of the live database'
        : `${lostCanaries} canaries of the live database had not arrived`,
    ),
  ];
}

function howRecovered(isClone: boolean, promotionSeconds: number | undefined, rest: number): string {
  if (isClone) return 'expected: a clone is not promoted, so only its data and its writes were rehearsed';
  if (promotionSeconds === undefined) return 'no write was committed';
  return `${formatSeconds(promotionSeconds)} from promotion to the first write, measured; ${formatSeconds(rest)} before and after it, expected`;
}

const headings = {
  passed: 'The rehearsal passed.',
  missed: 'The rehearsal missed its objectives.',
  aborted: 'The rehearsal was aborted.',
} as const;

/** For people. */
export function rehearsalMarkdown(report: RehearsalReport): string {
  const { request, outcome, objectives, databases, phases, teardown, stoppedBy, endedAt } = report;
  return [
    `# Rehearsal of a failover to ${request.region}, ${request.requestedAt}`,
    '',
    `**${headings[outcome]}**${stoppedBy === undefined ? '' : ` ${stoppedBy}.`} Asked for by ${request.requestedBy}; ${request.leader} led in epoch ${request.epoch} all the while; ended at ${endedAt}.`,
    '',
    ...(objectives.length === 0
      ? []
      : ['| Objective | measured | allowed | kept | how |', '| --- | --- | --- | --- | --- |', ...objectives.map(objectiveLine), '']),
    ...(phases.length === 0 ? [] : ['| Phase | time |', '| --- | --- |', ...phaseLines(phases), '']),
    ...databases.flatMap(({ databaseId, trend }) => (trend ? [`- ${databaseId}: ${trendSentence(trend)}`] : [])),
    ...(teardown?.removedAt ? ['', `The temporary databases were gone at ${teardown.removedAt}.`] : []),
    '',
  ].join('\n');
}

const objectiveLine = ({ subject, seconds, objectiveSeconds, kept, says }: Objective): string =>
  `| ${subject} | ${seconds === undefined ? 'unknown' : formatSeconds(seconds)} | ${formatSeconds(objectiveSeconds)} | ${kept ? 'yes' : 'NO'} | ${says} |`;

const phaseLines = (phases: RehearsalReport['phases']): readonly string[] =>
  [...phaseSeconds(phases)].map(([name, seconds]) => `| ${name} | ${formatSeconds(seconds)} |`);

export const rehearsalsPrefix = 'drills/';
/** Keys sort as rehearsals do. */
export const rehearsalStem = ({ rehearsalId }: Pick<RehearsalRequest, 'rehearsalId'>): string => `${rehearsalsPrefix}${rehearsalId}`;

/** @throws InvalidInput */
export const parseRehearsalReport = (bytes: Uint8Array): RehearsalReport =>
  parseAs(RehearsalReport, JSON.parse(Buffer.from(bytes).toString('utf8')), 'the report of a rehearsal');
