import { InvalidInput, NotFound } from '../../../functions/common/errors.ts';
import type { Region } from '../../../functions/common/ids.ts';
import type { Ports } from '../../../functions/common/ports.ts';
import { failoverReportMarkdown, isFailoverReportKey, parseFailoverReport } from '../../../functions/failover/report/failover-report.ts';
import { failoversPrefix } from '../../../functions/failover/report/report-keys.ts';
import type { FailoverReport } from '../../../functions/failover/report/report-model.ts';
import type { Session } from '../../session.ts';

export const failoverReportPorts = ['reports'] as const;

/** Forecasts need a few; a deployment that moves monthly has twelve a year. */
const newest = 12;

/** The newest reports of changes that this Region recorded, oldest first. */
export async function earlierReports(reports: Ports['reports'], region: Region): Promise<readonly FailoverReport[]> {
  const keys = (await reports.list(region, failoversPrefix)).filter(isFailoverReportKey).slice(-newest);
  const bodies = await Promise.all(keys.map((key) => reports.get(region, key)));
  return bodies.flatMap((body) => (body ? [parseFailoverReport(body)] : []));
}

/**
 * The report of one epoch; the newest when none is named. Each Region keeps the reports of the changes that made it lead.
 *
 * @throws InvalidInput, NotFound naming the epochs that there are
 */
export async function failoverReportOf(
  { ports }: Session<'reports'>,
  regions: readonly Region[],
  epoch: string | undefined,
): Promise<FailoverReport> {
  if (epoch !== undefined && !/^\d{1,9}$/.test(epoch))
    throw new InvalidInput(`"${epoch}" is no epoch`, { hint: 'An epoch is a whole number: codeblue failover report 7' });
  const found = await Promise.allSettled(regions.map((region) => earlierReports(ports.reports, region)));
  const reports = found.flatMap((each) => (each.status === 'fulfilled' ? each.value : [])).sort((a, b) => a.plan.epoch - b.plan.epoch);
  const report = epoch === undefined ? reports.at(-1) : reports.find(({ plan }) => plan.epoch === Number(epoch));
  if (report) return report;
  const unasked = regions.filter((_, index) => found[index]?.status === 'rejected');
  throw new NotFound(epoch === undefined ? 'there is no report of a failover yet' : `there is no report of epoch ${epoch}`, {
    hint: [
      reports.length > 0
        ? `There are: ${reports.map(({ plan }) => plan.epoch).join(', ')}.`
        : 'One is stored at the end of each change of leadership.',
      ...(unasked.length > 0 ? [`${unasked.join(', ')} could not be asked.`] : []),
    ].join(' '),
  });
}

export const renderFailoverReport = (report: FailoverReport): string => failoverReportMarkdown(report);
