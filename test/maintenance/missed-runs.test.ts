import { describe, expect, it } from 'vitest';
import { daily, latestOccurrence } from '../../functions/common/schedule.ts';
import { isMissed, isOverdue } from '../../functions/maintenance/run-missed-tasks.ts';

const newYork = 'America/New_York';

describe('missed runs', () => {
  const due = new Date('2027-03-14T07:00:00.000Z');
  const minutesLater = (count: number) => new Date(due.getTime() + count * 60_000);
  const dayBefore = new Date('2027-03-13T07:00:00.000Z');

  it('finds the backup of the March Sunday, whose 02:00 New York does not exist and which EventBridge therefore skips', () => {
    expect(latestOccurrence(daily('02:00'), newYork, minutesLater(20))).toEqual(due);
    expect(isMissed(due, dayBefore, minutesLater(20))).toBe(true);
  });

  it('leaves time for the retries of the schedule itself', () => {
    expect(isMissed(due, dayBefore, minutesLater(9))).toBe(false);
  });

  it('does not run again what succeeded, nor what is more than a day late', () => {
    expect(isMissed(due, due, minutesLater(20))).toBe(false);
    expect(isMissed(due, dayBefore, minutesLater(24 * 60 + 1))).toBe(false);
  });

  it('calls a monthly run overdue long after CloudWatch has forgotten it, and a punctual one never', () => {
    const monthBefore = new Date('2027-02-14T07:00:00.000Z');
    expect(isOverdue(due, monthBefore, minutesLater(20 * 24 * 60))).toBe(true);
    expect(isOverdue(due, monthBefore, minutesLater(119))).toBe(false);
    expect(isOverdue(due, due, minutesLater(20 * 24 * 60))).toBe(false);
    expect(isOverdue(due, undefined, minutesLater(20 * 24 * 60))).toBe(false);
  });
});
