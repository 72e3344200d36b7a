import { InvalidInput } from '../../common/errors.ts';
import type { AlarmRow, AlarmScope } from './alarm-row.ts';
import { auditRows } from './audit-rows.ts';
import { backupRows } from './backup-rows.ts';
import { databaseRows } from './database-rows.ts';
import { failoverRows } from './failover-rows.ts';
import { machineRows } from './machine-rows.ts';
import { pagerRows } from './pager-rows.ts';
import { runbookRows } from './runbook-rows.ts';
import { taskRows } from './task-rows.ts';
import { verificationRows } from './verification-rows.ts';
import { workloadRows } from './workload-rows.ts';

/**
 * Every alarm of one Region: the thresholds of both manuals over what the config names (row I1), and those that Codeblue has of itself. The CDK app makes alarms,
 * composites and dashboards of it and of nothing else.
 *
 * @throws InvalidInput when two rows would have the same name: a service is called like a database, say
 */
export function alarmTable(scope: AlarmScope): readonly AlarmRow[] {
  const rows = [
    ...failoverRows(scope),
    ...databaseRows(scope),
    ...workloadRows(scope),
    ...backupRows(scope),
    ...verificationRows(scope),
    ...auditRows(scope),
    ...machineRows(scope),
    ...taskRows(scope),
    ...pagerRows(scope),
    ...runbookRows(scope),
  ];
  const keys = rows.map(({ alarm, subject }) => `${alarm}-${subject}`);
  const twice = keys.find((key, index) => keys.indexOf(key) < index);
  if (twice === undefined) return rows;
  throw new InvalidInput(`two alarms would be called ${twice}`, {
    hint: 'Give databases, failover.capacity and incidents.monitored names of their own.',
  });
}
