import { z } from 'zod';
import { minutes, seconds } from '../../common/duration.ts';
import { messageOf, ServiceUnavailable } from '../../common/errors.ts';
import type { Region } from '../../common/ids.ts';
import { regionsOf } from '../../common/operations-lookup.ts';
import type { PortsFor } from '../../common/ports.ts';
import { every } from '../../common/schedule.ts';
import { defineTask, type TaskContext } from '../../common/task.ts';
import { metricNames } from '../../maintenance/metric-names.ts';
import { confirmed, type Finding } from './finding.ts';
import { type Look, lookAtLogs } from './look-at-logs.ts';
import { reportFindings } from './report-findings.ts';

const needs = [
  'audit-objects:read',
  'audit-head:read',
  'audit-queue:read',
  'audit-events:read',
  'audit-watch-memory:read',
  'audit-watch-memory:write',
  'checkpoint-signer:public-key',
] as const;
export type CheckContext = PortsFor<(typeof needs)[number]> & TaskContext;

const watched = { capability: 'audit', name: metricNames.audit.logWatched, value: 1, unit: 'Count' } as const;
/** Kept of the run's time for telling what was found. */
const spare = minutes(1);
/** Between a look that found something and the one that must confirm it. */
const pause = seconds(2);

/**
 * Looks at the logs of all Regions, from each of them, so that a log is watched although its Region's own watch is dead. A Region that does not answer is told of as that.
 *
 * **When it accuses.** What it reads is in an order in which a sequencer at work looks sound (`readPublished`, `judgeHead`). A finding is believed only when a second look, which reads
 * everything anew two seconds later, finds the same kind of thing in the same log. Nothing is lost by asking twice: what was tampered with stays so, since whoever puts it
 * back in between has mended it; the first look remembered nothing; and all versions of what was published are locked in the bucket.
 *
 * What was seen is remembered only for generations in which everything held.
 */
export const checkAuditLog = defineTask({
  name: 'check-audit-log',
  summary: 'Checks that the audit logs only grow: signed, consistent with what was seen last, and everything new hashes to it.',
  schedule: every(minutes(5)),
  runsIn: 'every',
  catchUp: false,
  timeout: minutes(5),
  memoryMegabytes: 1024,
  needs,
  input: z.strictObject({}),
  async run(_, context) {
    const regions = inTurn(context);
    const findings: Finding[] = [];
    const looked: Region[] = [];
    const unreachable: Region[] = [];
    const failures: unknown[] = [];
    let entries = 0;
    for (const [index, region] of regions.entries()) {
      try {
        const look = await lookTwice(region, shareOf(context, regions.length - index), context);
        for (const seen of look.remember) await context.auditWatchMemory.remember(seen);
        await context.metrics.put({ ...watched, dimensions: { Region: region } });
        looked.push(region);
        findings.push(...look.findings);
        entries += look.entries;
      } catch (error) {
        context.log.warn('a log could not be looked at', { log: region, error: messageOf(error) });
        if (error instanceof ServiceUnavailable) unreachable.push(region);
        // This Region's own log must be readable, and what is no outage is a fault: the others are looked at first.
        if (!(error instanceof ServiceUnavailable) || region === context.region) failures.push(error);
      }
    }
    await reportFindings(findings, { actor: 'task/check-audit-log', regions: looked, codes: lookedFor }, context);
    if (failures.length > 0) throw failures[0];
    return { entries, findings, unreachable };
  },
});

const lookedFor = [
  'AuditLogTruncated',
  'AuditLogForked',
  'AuditLogRewritten',
  'AuditLogGap',
  'AuditBodyAltered',
  'AuditLogStale',
  'AuditEventNotIntegrated',
] as const;

/** This Region's own first. */
const inTurn = ({ operations, region }: CheckContext): readonly Region[] => [...new Set([region, ...regionsOf(operations)])];

/** Milliseconds that one of so many Regions may take: what one does not need, the next ones have. */
const shareOf = ({ clock, deadline }: CheckContext, left: number): number =>
  Math.max(0, deadline.getTime() - spare * 1000 - clock.now().getTime()) / left;

/** The second look has as much again as the first one, so that it comes at least as far. */
async function lookTwice(region: Region, milliseconds: number, context: CheckContext): Promise<Look> {
  const look = (part: number) =>
    lookAtLogs(region, { ...context, readUntil: new Date(context.clock.now().getTime() + milliseconds * part) });
  const first = await look(1 / 3);
  if (first.findings.length === 0) return first;
  await context.clock.sleep(pause * 1000);
  const second = await look(1 / 2);
  return { ...second, findings: confirmed(first.findings, second.findings) };
}
