import { NestedStack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { alarmTable } from '../../functions/incidents/alarms/table.ts';
import { regionDashboards } from '../incidents/region-dashboards.ts';
import { tableAlarms } from '../incidents/table-alarms.ts';
import type { RegionGround } from './region-workers.ts';

/**
 * Every alarm of a Region, and its dashboards: all from one table (functions/incidents/alarms). Alarms know what they watch by name, so they stand apart from it: nested,
 * because one stack holds 500 resources at most.
 */
export class AlarmStack extends NestedStack {
  constructor(parent: Construct, { scope, topic, tasks }: Pick<RegionGround, 'scope' | 'topic' | 'tasks'>) {
    const { operations, region } = scope;
    super(parent, 'Watching', { description: `Codeblue for ${operations.name}: alarms and dashboards of ${region}` });
    const of = { operations, region, tasks };
    const table = alarmTable(of);
    regionDashboards(this, of, table, tableAlarms(this, { operations, topic: topic.topic, table }));
  }
}
