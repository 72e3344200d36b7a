import type { AuditPolicy } from '../../functions/common/audit-policy.ts';
import { days, minutes } from '../../functions/common/duration.ts';
import { daily, monthly } from '../../functions/common/schedule.ts';

/** Both manuals: audit records for seven years (2557 days with two leap days), verified daily, their backup restored to test it. */
export const commonAudit: AuditPolicy = {
  actions: [],
  clockSkew: { ahead: minutes(5), behind: days(7) },
  generation: 1,
  retention: { mode: 'compliance', days: 2557 },
  witnesses: { use: [], quorum: 0 },
  watch: { full: daily('03:30'), restoreTest: monthly(1, 'sat', '04:00'), integratedWithin: minutes(2) },
};
