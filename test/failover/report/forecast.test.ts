import { describe, expect, test } from 'vitest';
import { FailoverRecord } from '../../../functions/failover/models.ts';
import { failoverReport, failoverReportMarkdown, parseFailoverReport } from '../../../functions/failover/report/failover-report.ts';
import { forecast } from '../../../functions/failover/report/forecast.ts';
import { enterPhase, phaseSeconds } from '../../../functions/failover/report/phases.ts';
import { at, databaseIds, operations, planned, policy, secondsLater } from '../support.ts';

const plan = planned({ outageSince: at(-50) });
const record = (change: Partial<FailoverRecord> = {}) => FailoverRecord.parse({ plan, ...change });
const report = (promoteSeconds: number, change: Partial<FailoverRecord> = {}) =>
  failoverReport(
    record({
      confirmedAt: at(promoteSeconds + 10),
      phases: [{ name: 'promote', startedAt: at(5), endedAt: at(5 + promoteSeconds) }],
      ...change,
    }),
    policy.objectives,
    secondsLater(900),
  );

describe('the forecast', () => {
  test('follows the policy: noticing, and what is left of the lease by then', () => {
    const { phases } = forecast(operations, { kind: 'failover', needsApproval: false });
    const of = (name: string) => phases.find(({ phase }) => phase === name);
    // Three probes 5 s apart, 30 s of agreement; by then a lease of 20 + 5 s is over.
    expect(of('notice')?.expectedSeconds).toBe(40);
    expect(of('fence')).toMatchObject({ expectedSeconds: 1, worstSeconds: 30 });
    const hasty = { ...operations, failover: { ...policy, observe: { ...policy.observe, dwell: policy.lease.margin } } };
    const fence = forecast(hasty, { kind: 'failover', needsApproval: false }).phases.find(({ phase }) => phase === 'fence');
    expect(fence?.expectedSeconds).toBe(11);
  });

  test('the slowest engine decides the promotion', () => {
    const aurora = { ...operations, databases: operations.databases.filter(({ engine }) => engine === 'aurora-postgres') };
    const promote = (given: typeof operations) => {
      const { phases } = forecast(given, { kind: 'failover', needsApproval: false });
      return phases.find(({ phase }) => phase === 'promote')?.expectedSeconds ?? 0;
    };
    expect(promote(aurora)).toBeLessThan(promote(operations));
  });

  test('a planned change notices nothing; a question may take as long as it is good for', () => {
    const { phases } = forecast(operations, { kind: 'switchover', needsApproval: true });
    expect(phases.find(({ phase }) => phase === 'notice')).toMatchObject({ expectedSeconds: 0, worstSeconds: 0 });
    expect(phases.find(({ phase }) => phase === 'decide')?.worstSeconds).toBe(policy.approvals.expireAfter);
  });

  test('adds up to the objectives: each includes the one before', () => {
    const { database, criticalServices, full } = forecast(operations, { kind: 'failover', needsApproval: false });
    expect(database.expectedSeconds).toBeLessThanOrEqual(criticalServices.expectedSeconds);
    expect(criticalServices.expectedSeconds).toBeLessThanOrEqual(full.expectedSeconds);
    for (const sum of [database, criticalServices, full]) expect(sum.worstSeconds).toBeGreaterThanOrEqual(sum.expectedSeconds);
    expect(database.objectiveSeconds).toBe(policy.objectives.database);
  });

  test('what was measured replaces what was assumed, of the same kind only', () => {
    const given = [report(100), report(140), report(2_000)];
    const promote = (kind: 'failover' | 'switchover') =>
      forecast(operations, { kind, needsApproval: false }, given).phases.find(({ phase }) => phase === 'promote');
    expect(promote('failover')).toMatchObject({ expectedSeconds: 140, worstSeconds: 2_000, because: 'the median of 3 earlier changes' });
    expect(promote('switchover')?.expectedSeconds).toBe(300);
  });
});

describe('the report', () => {
  const [databaseId] = databaseIds;

  test('counts recovery from the beginning of the trouble, and the services only when the database is there too', () => {
    const { rto } = report(90, { servingAt: at(20), atStrengthAt: at(400) });
    expect(rto).toMatchObject({ database: { seconds: 150 }, criticalServices: { seconds: 150 }, full: { seconds: 450 } });
  });

  test('what was not reached has no figure, and its objective is not kept', () => {
    const { rto } = report(90);
    expect(rto.full).toEqual({ objectiveSeconds: policy.objectives.full });
    expect(failoverReportMarkdown(report(90))).toContain('| full system | not reached | 30 min | NO |');
  });

  test('as text names what is lost, what is unknown and what is missing', () => {
    const loss = { databaseId, provenSeconds: 3, atMostSeconds: 23, transactions: 30, lastKnownAgeSeconds: 10, budgetSeconds: 60 };
    const { lastKnownAgeSeconds: _, ...unknown } = loss;
    const text = (losses: unknown[]) =>
      failoverReportMarkdown(report(90, FailoverRecord.parse({ plan, losses, shortfalls: ['orders-api runs 2 of 4'] })));
    expect(text([loss])).toContain(`| ${databaseId} | 23 s | 3 s | 30 | 1 min | yes |`);
    expect(text([unknown])).toContain(`| ${databaseId} | unknown | 3 s | 30 | 1 min | NO |`);
    expect(text([loss])).toContain('- orders-api runs 2 of 4');
  });

  test('comes back as it was written', () => {
    const given = report(90, { servingAt: at(20) });
    expect(parseFailoverReport(Buffer.from(JSON.stringify(given)))).toEqual(given);
  });
});

describe('phases', () => {
  test('follow one another without a gap; one that goes on is one', () => {
    const fenced = enterPhase(enterPhase(record(), 'fence', secondsLater(1)), 'fence', secondsLater(2));
    const { phases } = enterPhase(fenced, 'measure', secondsLater(4));
    expect(phases).toEqual([
      { name: 'fence', startedAt: at(1), endedAt: at(4) },
      { name: 'measure', startedAt: at(4) },
    ]);
    expect([...phaseSeconds(phases)]).toEqual([['fence', 3]]);
  });
});
