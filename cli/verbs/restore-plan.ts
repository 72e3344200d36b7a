import { planRestore, type RestoreGoal, type RestorePlan } from '../../functions/backup/restore-plan.ts';
import { formatSeconds } from '../../functions/common/duration.ts';
import { CodeblueError } from '../../functions/common/errors.ts';
import type { Database, Operations } from '../../functions/common/operations.ts';
import { databaseOf } from '../../functions/common/operations-lookup.ts';
import { type Forecast, forecastRestore, restoreSamples } from '../../functions/verify/trend.ts';
import { MisusedCommand } from '../misused-command.ts';
import { forecastText, localTime } from '../render/moments.ts';
import type { Session } from '../session.ts';
import type { Terminal } from '../terminal.ts';
import { timeWithZone } from '../time-with-zone.ts';

export const restorePlanPorts = ['databases', 'proofs', 'recoveryPoints'] as const;

export interface RestorePlanResult {
  readonly timeZone: string;
  readonly plan: RestorePlan;
  readonly rtoSeconds: number;
  readonly forecast?: Forecast;
  /** This version plans and does not restore. */
  readonly executed: false;
}

export interface RestoreOptions {
  readonly database?: string;
  readonly to?: string;
  readonly point?: string;
}

/** @throws MisusedCommand when the goal is unclear, InvalidInput when it cannot be reached */
export async function restorePlan(
  session: Session<(typeof restorePlanPorts)[number]>,
  options: RestoreOptions,
): Promise<RestorePlanResult> {
  const { ports, operations, clock, region } = session;
  const goal = goalOf(options);
  const database = chooseDatabase(operations, options.database, options.point);
  const [points, proofs, live] = await Promise.all([
    ports.recoveryPoints.list(database.id),
    ports.proofs.list(database.id, 400),
    // The database may be what was lost: then there is no log to restore from, and the backups are what is left.
    ports.databases.describe(database.id, region).catch((error: unknown) => {
      if (error instanceof CodeblueError) return undefined;
      throw error;
    }),
  ]);
  const plan = planRestore({ database, region, points, live }, goal, clock.now());
  // Sizes of backups, as in the samples: a live database's is measured otherwise.
  const newestFirst = [...points].sort((a, b) => b.requestedAt.localeCompare(a.requestedAt));
  const sizeBytes = (
    newestFirst.find(({ id }) => id === plan.recoveryPointId) ?? newestFirst.find((point) => point.sizeBytes !== undefined)
  )?.sizeBytes;
  const forecast = forecastRestore(restoreSamples(proofs), sizeBytes);
  return { timeZone: operations.timeZone, plan, rtoSeconds: database.objectives.rto, forecast, executed: false };
}

function goalOf({ to, point }: RestoreOptions): RestoreGoal {
  if (to !== undefined && point !== undefined) {
    throw new MisusedCommand('--to and --point name two different things to restore', { hint: 'Give one of them.' });
  }
  if (point !== undefined) return { kind: 'point', recoveryPointId: point };
  if (to === undefined) return { kind: 'newest' };
  return { kind: 'time', time: timeWithZone('--to', to) };
}

/** The database named, the one that the backup's id names, or the only one there is. @throws MisusedCommand, InvalidInput */
export function chooseDatabase(operations: Operations, named: string | undefined, recoveryPointId?: string): Database {
  if (named !== undefined) return databaseOf(operations, named);
  const ofPoint = operations.databases
    .filter(({ id }) => recoveryPointId?.startsWith(`cb-${id}-`))
    .sort((a, b) => b.id.length - a.id.length)[0];
  if (ofPoint) return ofPoint;
  const [only, ...others] = operations.databases;
  if (only && others.length === 0) return only;
  throw new MisusedCommand('there are several databases', {
    hint: `Name one with --database: ${operations.databases.map(({ id }) => id).join(', ')}.`,
  });
}

export function renderRestorePlan(
  { plan, timeZone, forecast, rtoSeconds }: RestorePlanResult,
  { colours }: Pick<Terminal, 'colours'>,
): string {
  const source =
    plan.method === 'transaction-log' ? 'snapshot and transaction log' : `backup ${plan.recoveryPointId} (${verdicts[plan.verification]})`;
  const time = forecast
    ? `${forecastText(forecast)} until it answers queries (${forecast.samples} measured)`
    : 'unknown: no restore has been measured yet';
  return [
    colours.bold(`Plan to restore ${plan.databaseId} in ${plan.region}`),
    `  from           ${source}`,
    `  to             ${localTime(plan.restoresTo, timeZone)} (${plan.restoresTo})`,
    `  expected loss  ${formatSeconds(plan.expectedLossSeconds)}; the objective is ${formatSeconds(plan.objectiveSeconds)}`,
    `  expected time  ${time}; the objective is ${formatSeconds(rtoSeconds)}`,
    ...plan.cautions.map((caution) => `  ${colours.yellow('!')} ${caution}`),
    '',
    ...plan.steps.map((step, index) => `  ${index + 1}. ${step}`),
    '',
    'Nothing was done: this version of Codeblue plans a restore and leaves carrying it out to you.',
  ].join('\n');
}

const verdicts: Readonly<Record<RestorePlan['verification'], string>> = {
  verified: 'verified',
  refused: 'REFUSED',
  pending: 'not verified yet',
  'not-applicable': 'not verified',
};
