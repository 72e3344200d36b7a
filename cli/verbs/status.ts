import { formatSeconds } from '../../functions/common/duration.ts';
import type { AnyTask } from '../../functions/common/task.ts';
import type { DatabaseStatus, PointStatus } from '../../functions/status/database-status.ts';
import { readDatabaseStatus, readSchedules, type ScheduleStatus } from '../../functions/status/read-status.ts';
import { enoughForTrend } from '../../functions/verify/trend.ts';
import { forecastText, relativeTime } from '../render/moments.ts';
import type { Session } from '../session.ts';
import type { Terminal } from '../terminal.ts';

export const statusPorts = ['databases', 'ledger', 'proofs', 'recoveryPoints'] as const;

export interface StatusResult {
  readonly deployment: string;
  readonly at: string;
  readonly databases: readonly DatabaseStatus[];
  /** The next runs, soonest first. */
  readonly next: readonly ScheduleStatus[];
}

const shownRuns = 6;

/** Tasks that repeat within minutes would fill the list of what comes next and say nothing. */
const isEvent = (task: AnyTask) => task.catchUp;

/** @throws ServiceUnavailable, InvalidInput when the state cannot be read */
export async function status(session: Session<(typeof statusPorts)[number]>, tasks: readonly AnyTask[]): Promise<StatusResult> {
  const { operations, clock } = session;
  const databases = await Promise.all(operations.databases.map((database) => readDatabaseStatus(session, database)));
  const next = (await readSchedules(session, tasks.filter(isEvent))).slice(0, shownRuns);
  return { deployment: operations.name, at: clock.now().toISOString(), databases, next };
}

/** Problems first, then each database, then what comes next. */
export function renderStatus(result: StatusResult, { colours }: Pick<Terminal, 'colours'>): string {
  const problems = result.databases.flatMap(({ databaseId, problems: list }) =>
    list.map((says) => `  ${colours.red('✗')} ${databaseId}: ${says}`),
  );
  const summary =
    problems.length > 0
      ? [colours.bold(colours.red(problems.length === 1 ? '1 problem' : `${problems.length} problems`)), ...problems]
      : [colours.green(`✓ ${result.deployment}: all is well`)];
  const now = new Date(result.at);
  const databases = result.databases.flatMap((database) => ['', colours.bold(database.databaseId), ...databaseLines(database)]);
  const width = Math.max(...result.next.map(runName).map((name) => name.length));
  const next = result.next.map((run) => `  ${runName(run).padEnd(width)}  ${relativeTime(run.nextAt, now)}`);
  return [...summary, ...databases, '', colours.bold('next'), ...next].join('\n');
}

const runName = ({ task, key }: ScheduleStatus) => (key === '' ? task : `${task} ${key}`);

function databaseLines({ newest, newestVerified, maxVerifiedAgeSeconds, log, restore, loss }: DatabaseStatus): string[] {
  return [
    `  newest backup      ${newest ? pointText(newest) : 'none'}`,
    `  newest verified    ${newestVerified ? `${pointText(newestVerified)}, ${formatSeconds(maxVerifiedAgeSeconds)} allowed` : 'none'}`,
    `  log                ${logText(log)}`,
    `  data loss          ${lossText(loss)}`,
    `  restore time       ${restoreText(restore)}`,
    ...forecastLines(restore),
  ];
}

function pointText({ id, ageSeconds, verification }: PointStatus): string {
  const verdict = { verified: 'verified', refused: 'REFUSED', pending: 'not verified yet' }[verification];
  return `${formatSeconds(ageSeconds)} old, ${verdict} (${id})`;
}

function logText({ enabled, ageSeconds }: DatabaseStatus['log']): string {
  if (!enabled) return 'off in the config';
  return ageSeconds === undefined ? 'unknown' : `newest restorable second is ${formatSeconds(ageSeconds)} old`;
}

const samples = (count: number) => (count === 1 ? '1 verification' : `${count} verifications`);

function lossText({ measuredSeconds, objectiveSeconds, samples: count }: DatabaseStatus['loss']): string {
  const objective = `the objective is ${formatSeconds(objectiveSeconds)}`;
  return measuredSeconds === undefined
    ? `not measured yet; ${objective}`
    : `${formatSeconds(measuredSeconds)} measured last (${samples(count)}); ${objective}`;
}

function restoreText({ trend, objectiveSeconds }: DatabaseStatus['restore']): string {
  const objective = `the objective is ${formatSeconds(objectiveSeconds)}`;
  if (!trend) return `not measured yet; ${objective}`;
  const rise = trend.secondsPerDay;
  const movement =
    rise === undefined || trend.samples < enoughForTrend || Math.abs(rise) < 0.05
      ? ''
      : `, ${rise > 0 ? 'slower' : 'faster'} by ${formatSeconds(Math.abs(rise))} a day`;
  return `${formatSeconds(trend.latestSeconds)} measured last, ${formatSeconds(trend.medianSeconds)} at the median of ${samples(trend.samples)}${movement}; ${objective}`;
}

function forecastLines({ forecast, trend }: DatabaseStatus['restore']): string[] {
  if (!forecast) return [];
  const basis = forecast.basis === 'size' ? 'by size' : 'by the median';
  const days = trend && trend.samples >= enoughForTrend ? trend.daysUntilObjective : undefined;
  const reaches = days === undefined ? '' : `; by its trend it reaches the objective in ${Math.round(days)} d`;
  return [`  forecast           ${forecastText(forecast)} for a restore now, ${basis} (${samples(forecast.samples)})${reaches}`];
}
