import { createHash } from 'node:crypto';
import type { Clock } from '../../common/clock.ts';
import { type Region, timestamp } from '../../common/ids.ts';
import type { Logger } from '../../common/logger.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import type { Metrics } from '../../maintenance/ports.ts';
import type { AuditLog } from '../ports.ts';
import { type Finding, type FindingCode, findingKey } from './finding.ts';

interface ReportPorts {
  readonly auditLog: AuditLog;
  readonly metrics: Metrics;
  readonly clock: Pick<Clock, 'now'>;
  readonly region: Region;
  readonly log: Logger;
}

/** What a check looked for, and in whose logs: it says 0 where it found nothing. */
export interface Looked {
  readonly actor: string;
  readonly regions: readonly Region[];
  readonly codes: readonly FindingCode[];
}

/** Acts of one run and code. A log that is wrong in a million places is told by its count. */
const actsOfCode = 20;

const metricOf: Readonly<Record<FindingCode, string>> = {
  AuditLogTruncated: metricNames.audit.logTruncated,
  AuditLogForked: metricNames.audit.logForked,
  AuditLogRewritten: metricNames.audit.logRewritten,
  AuditLogGap: metricNames.audit.logGap,
  AuditLogStale: metricNames.audit.logStale,
  AuditEventNotIntegrated: metricNames.audit.eventNotIntegrated,
  AuditBodyAltered: metricNames.audit.bodyAltered,
  AuditRestoreFailed: metricNames.audit.restoreFailed,
};

/** Tells people (a metric for each kind, and so an alarm), then the log: an act for each finding, once a day however often it is found. Ids and paths only. */
export async function reportFindings(findings: readonly Finding[], { actor, regions, codes }: Looked, ports: ReportPorts): Promise<void> {
  for (const region of regions) {
    for (const code of codes) {
      const value = findings.filter((finding) => finding.region === region && finding.code === code).length;
      await ports.metrics.put({ capability: 'audit', name: metricOf[code], value, unit: 'Count', dimensions: { Region: region } });
    }
  }
  for (const code of codes) {
    for (const finding of findings.filter((each) => each.code === code).slice(0, actsOfCode)) await recordFinding(finding, actor, ports);
  }
}

async function recordFinding(finding: Finding, actor: string, { auditLog, clock, region, log }: ReportPorts): Promise<void> {
  const { code, subject, says } = finding;
  const at = timestamp(clock.now());
  const resource = `${finding.region}/${finding.generation}`;
  log.error('the audit log is not what it must be', { code, log: resource, subject, says });
  const actId = `audit-finding:${createHash('sha256')
    .update(`${at.slice(0, 10)} ${findingKey(finding)}`)
    .digest('hex')
    .slice(0, 32)}`;
  await auditLog.record({
    ...{
      eventId: `${actId}:outcome`,
      actId,
      phase: 'outcome',
      at,
      actor,
      action: 'report-audit-finding',
      resource,
      region,
      outcome: 'failure',
    },
    details: { code, subject, says: says.slice(0, 1000) },
  });
}
