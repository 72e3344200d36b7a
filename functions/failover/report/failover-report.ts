import { formatSeconds, secondsBetween } from '../../common/duration.ts';
import type { FailoverPolicy } from '../../common/failover-policy.ts';
import { type Timestamp, timestamp } from '../../common/ids.ts';
import { parseAs } from '../../common/parse.ts';
import type { FailoverRecord, LossEstimate } from '../models.ts';
import { isWithinBudget } from '../move/loss.ts';
import { planFacts, planTitle } from '../move/plan-words.ts';
import { endPhases, outageStart, phaseSeconds } from './phases.ts';
import { failoverKey, failoversPrefix } from './report-keys.ts';
import { FailoverReport } from './report-model.ts';

type Objectives = FailoverPolicy['objectives'];

/** The report of a failover that is complete. Recovery times count from the beginning of the trouble to what ended it. */
export function failoverReport(record: FailoverRecord, objectives: Objectives, now: Date): FailoverReport {
  const since = outageStart(record.plan);
  const took = (at: Timestamp | undefined) =>
    at === undefined ? {} : { seconds: Math.max(0, secondsBetween(new Date(since), new Date(at))) };
  const serving = record.servingAt && record.confirmedAt ? later(record.servingAt, record.confirmedAt) : undefined;
  const full = record.atStrengthAt && serving ? later(record.atStrengthAt, serving) : undefined;
  return {
    format: 'codeblue-failover-report/1',
    plan: record.plan,
    outageSince: since,
    endedAt: timestamp(now),
    fenced: record.fenced,
    phases: endPhases(record.phases, now),
    rto: {
      database: { objectiveSeconds: objectives.database, ...took(record.confirmedAt) },
      criticalServices: { objectiveSeconds: objectives.criticalServices, ...took(serving) },
      full: { objectiveSeconds: objectives.full, ...took(full) },
    },
    losses: record.losses,
    snapshots: record.snapshots,
    shortfalls: record.shortfalls,
  };
}

const later = (a: Timestamp, b: Timestamp): Timestamp => (a > b ? a : b);

/** For people. */
export function failoverReportMarkdown(report: FailoverReport): string {
  const { plan, rto, losses, phases, shortfalls } = report;
  return [
    plan.replacement
      ? `# ${planTitle(plan)}, epoch ${plan.epoch}`
      : `# ${plan.kind === 'failover' ? 'Failover' : 'Switchover'} from ${plan.from} to ${plan.to}, epoch ${plan.epoch}`,
    '',
    ...(plan.replacement ? [`${planFacts(plan)}.`, ''] : []),
    `**${verdict(report)}**`,
    '',
    `${plan.reason}. Asked for by ${plan.requestedBy} at ${plan.requestedAt}; trouble since ${report.outageSince}; ${fencedHow(report)}.`,
    '',
    ...table(
      '| Recovery time | measured | objective | kept |',
      recoveryTimes.map(([key, name]) => rtoLine(name, rto[key])),
    ),
    ...table(
      '| Phase | seconds |',
      [...phaseSeconds(phases)].map(([name, seconds]) => `| ${name} | ${seconds.toFixed(1)} |`),
    ),
    ...table('| Database | lost at most | for certain | transactions | budget | kept |', losses.map(lossLine)),
    ...(losses.length === 0 ? ['What was lost is not known: whoever measured it did not live to tell.', ''] : []),
    ...(shortfalls.length > 0 ? ['## Still missing', '', ...shortfalls.map((says) => `- ${says}`), ''] : []),
  ].join('\n');
}

const recoveryTimes = [
  ['database', 'database'],
  ['criticalServices', 'critical services'],
  ['full', 'full system'],
] as const;

const isInTime = ({ seconds, objectiveSeconds }: FailoverReport['rto']['full']): boolean =>
  seconds !== undefined && seconds <= objectiveSeconds;

/** What whoever opens a report wants to know first. */
function verdict({ rto, losses, shortfalls }: FailoverReport): string {
  const late = recoveryTimes.flatMap(([key, name]) => (isInTime(rto[key]) ? [] : [`recovery of the ${name}`]));
  const lost = losses.filter((loss) => !isWithinBudget(loss)).map(({ databaseId }) => `loss of ${databaseId}`);
  const missed = [...late, ...lost, ...(losses.length === 0 ? ['loss, which is not known'] : [])];
  const missing = shortfalls.length > 0 ? ' Something is still missing.' : '';
  return missed.length === 0 ? `Every objective and every budget was kept.${missing}` : `Not kept: ${missed.join(', ')}.${missing}`;
}

const fences = {
  'by-receipt': 'the old primary said that it closed',
  'by-expiry': 'the lease of the old primary was waited out',
  'by-human': 'a human said that the old primary was off',
} as const;
const fencedHow = ({ fenced }: FailoverReport): string => (fenced ? fences[fenced] : 'an earlier execution saw to the fence');

/** A Markdown table with its heading; nothing without lines. */
function table(heading: string, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [];
  const rule = `|${' --- |'.repeat(heading.split('|').length - 2)}`;
  return [heading, rule, ...lines, ''];
}

function rtoLine(name: string, rto: FailoverReport['rto']['full']): string {
  const measured = rto.seconds === undefined ? 'not reached' : formatSeconds(rto.seconds);
  return `| ${name} | ${measured} | ${formatSeconds(rto.objectiveSeconds)} | ${isInTime(rto) ? 'yes' : 'NO'} |`;
}

function lossLine(loss: LossEstimate): string {
  const { databaseId, provenSeconds, atMostSeconds, transactions, budgetSeconds, lastKnownAgeSeconds } = loss;
  const atMost = lastKnownAgeSeconds === undefined ? 'unknown' : formatSeconds(atMostSeconds);
  const kept = isWithinBudget(loss) ? 'yes' : 'NO';
  return `| ${databaseId} | ${atMost} | ${formatSeconds(provenSeconds)} | ${transactions} | ${formatSeconds(budgetSeconds)} | ${kept} |`;
}

/** Keys of a report, by the epoch that it is about. */
export const reportKeys = ({ epoch }: FailoverRecord['plan']) => ({
  json: failoverKey(epoch, 'report.json'),
  html: failoverKey(epoch, 'report.html'),
  markdown: failoverKey(epoch, 'report.md'),
});

/** Whether a key below `failovers/` is a report that `parseFailoverReport` reads. */
export const isFailoverReportKey = (key: string): boolean => key.startsWith(failoversPrefix) && key.endsWith('/report.json');

/** @throws InvalidInput */
export const parseFailoverReport = (bytes: Uint8Array): FailoverReport =>
  parseAs(FailoverReport, JSON.parse(Buffer.from(bytes).toString('utf8')), 'the report of a failover');
