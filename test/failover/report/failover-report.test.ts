import { describe, expect, test } from 'vitest';
import { FailoverRecord } from '../../../functions/failover/models.ts';
import { failoverReport, failoverReportMarkdown } from '../../../functions/failover/report/failover-report.ts';
import { at, databaseIds, planned, policy, secondsLater } from '../support.ts';

const loss = (atMostSeconds: number) =>
  databaseIds.map((databaseId) => ({
    ...{ databaseId, provenSeconds: 0, atMostSeconds, transactions: 2, lastKnownAgeSeconds: 4, budgetSeconds: 60 },
  }));
const text = (change: Partial<FailoverRecord>): string => {
  const times = { confirmedAt: at(40), servingAt: at(50), atStrengthAt: at(90) };
  const record = FailoverRecord.parse({
    plan: planned({ outageSince: at(0) }),
    fenced: 'by-expiry',
    losses: loss(23),
    ...times,
    ...change,
  });
  return failoverReportMarkdown(failoverReport(record, policy.objectives, secondsLater(100)));
};

describe('the report of a failover begins with what it came to', () => {
  test.each<[string, Partial<FailoverRecord>, string]>([
    ['all well', {}, '**Every objective and every budget was kept.**'],
    [
      'a service that is not up',
      { shortfalls: ['orders-api runs 2 of 4'] },
      '**Every objective and every budget was kept. Something is still missing.**',
    ],
    [
      'too slow',
      { confirmedAt: at(3600), atStrengthAt: undefined },
      '**Not kept: recovery of the database, recovery of the critical services, recovery of the full system.**',
    ],
    ['too much lost', { losses: loss(61) }, '**Not kept: loss of hms, loss of billing.**'],
    // A record of a deployment before the commitment kept it.
    ['nobody knows what was lost', { losses: [] }, '**Not kept: loss, which is not known.**'],
  ])('%s', (_, change, verdict) => {
    expect(text(change).split('\n')).toContain(verdict);
  });

  test('what nobody measured is called unknown, and not nothing', () => {
    expect(text({ losses: [] })).toContain('What was lost is not known');
    expect(text({})).not.toContain('not known');
  });
});
