import type { Region } from '../../common/ids.ts';
import type { Severity } from '../../common/incident-policy.ts';
import type { Operations } from '../../common/operations.ts';
import type { AnyTask } from '../../common/task.ts';
import { AlarmName, Subject } from '../models.ts';
import type { AlarmRule } from './evaluate.ts';

export const dashboardNames = ['system', 'application', 'database', 'security', 'executive'] as const;
export type DashboardName = (typeof dashboardNames)[number];

/** A deployment as one of its Regions has it: what its alarms are derived from. */
export interface AlarmScope {
  readonly operations: Operations;
  readonly region: Region;
  readonly tasks: readonly AnyTask[];
}

/** One series of CloudWatch, a data point a period. */
export interface Series {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  /** In CloudWatch's words: `Sum`, `Average`, `Minimum`, `Maximum`, `p95`. */
  readonly statistic: string;
}

/** A share in per cent: all of `parts` together of `whole`. A part without a data point counts as 0; nothing of a whole that is 0 is 0. */
export interface Share {
  readonly parts: readonly Series[];
  readonly whole: Series;
}

/** One alarm of the table. Its name in CloudWatch is `alarmNameOf` of it. */
export interface AlarmRow extends AlarmRule {
  readonly alarm: AlarmName;
  readonly subject: Subject;
  /** Where the trouble lies: the Region of the alarm, or the lost one that it tells of. Every Region that hears of the same trouble says the same. */
  readonly region: Region;
  readonly severity: Severity;
  /** Who sees to it that it is mended: a contact of the config. */
  readonly owner: string;
  /** One sentence: what is wrong when it fires. */
  readonly says: string;
  readonly metric: Series | Share;
  readonly periodSeconds: number;
  readonly dashboards: readonly DashboardName[];
  /** `incidents`: by an incident, where `incidents.mode` is on. `topic`: by mail to the on-call address, always: alarms on the pager itself. */
  readonly tells: 'incidents' | 'topic';
}

/** A row as it is written down: the kinds of names parsed, and what most rows have in common left out. */
type WrittenRow = Omit<AlarmRow, 'alarm' | 'subject' | 'region' | 'owner' | 'periods' | 'datapointsToAlarm' | 'tells'> & {
  readonly alarm: string;
  readonly subject: string;
  /** The Region of the table when left out. */
  readonly region?: Region;
  /** The owner of the deployment when left out. */
  readonly owner?: string;
  /** One when left out. */
  readonly periods?: number;
  /** All of `periods` when left out. */
  readonly datapointsToAlarm?: number;
  readonly tells?: AlarmRow['tells'];
};

/** @throws InvalidInput for a name that could not stand in a page */
export function alarmRow({ operations, region }: Pick<AlarmScope, 'operations' | 'region'>, written: WrittenRow): AlarmRow {
  const periods = written.periods ?? 1;
  return {
    ...written,
    alarm: AlarmName.parse(written.alarm),
    subject: Subject.parse(written.subject),
    region: written.region ?? region,
    owner: written.owner ?? operations.contacts.owner.name,
    periods,
    datapointsToAlarm: written.datapointsToAlarm ?? periods,
    tells: written.tells ?? 'incidents',
  };
}

/** A series of Codeblue's own. */
export const ownSeries = (
  capability: string,
  name: string,
  dimensions: Readonly<Record<string, string>>,
  statistic: Series['statistic'],
): Series => ({ namespace: `Codeblue/${capability}`, name, dimensions, statistic });

/** Whether the lead can be in this Region. */
export const canLead = ({ operations, region }: Pick<AlarmScope, 'operations' | 'region'>): boolean =>
  region !== operations.regions.tertiary;

/** Whether the lead can move at all. */
export const moves = ({ operations }: Pick<AlarmScope, 'operations'>): boolean => operations.failover.mode !== 'off';
