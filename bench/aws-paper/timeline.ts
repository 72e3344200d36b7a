import type { Operations } from '../../functions/common/operations.ts';
import { type Forecast, forecast, type RecoveryForecast } from '../../functions/failover/report/forecast.ts';
import type { PhaseName } from '../../functions/failover/report/phases.ts';

type Engine = Operations['databases'][number]['engine'];
export type Mode = 'automatic' | 'approve';

/** The forecast that `codeblue failover plan` prints before anything was measured, for an unplanned failover of that deployment on that engine. */
export function paperForecast(operations: Operations, engine: Engine, mode: Mode): Forecast {
  const databases = operations.databases.map((database) => ({ ...database, engine }));
  return forecast({ ...operations, databases }, { kind: 'failover', needsApproval: mode === 'approve' });
}

/** Where the figures of a phase come from: the policy of the config, a page of AWS, or our assumption where no page names a time. */
export const sources = (mode: Mode): Record<PhaseName, string> => ({
  notice: 'policy: probes, dwell',
  decide: mode === 'automatic' ? 'assumption: nobody is asked' : 'policy: half of the time to answer, all of it',
  fence: 'policy: lease and margin',
  measure: 'assumption',
  promote: 'assumption; AWS names no time [1] [2]',
  open: 'assumption',
  confirm: 'assumption',
  traffic: 'AWS: 2 checks 10 s apart [3], names cached for 60 s [4]',
  strength: 'assumption: services start in 2 to 10 min',
});

/** Titles and words as they stood in November 2026. */
export const pages: readonly string[] = [
  '[1] Amazon RDS User Guide, "Promoting a read replica to be a standalone DB instance": "RDS reboots the DB instance before making it available.',
  '    The promotion process can take several minutes or longer to complete, depending on the size of the read replica."',
  '[2] Amazon Aurora User Guide, "Using switchover or failover in Amazon Aurora Global Database": "For Aurora Global Database, RTO can be in the order of minutes."',
  '[3] Route 53 Developer Guide, "How Amazon Route 53 determines whether a health check is healthy": every 10 s, and so many in a row as the threshold says.',
  '[4] Route 53 FAQs: names of load balancers are alias records with a fixed life of 60 s.',
];

/** How an objective fares on paper. */
export const verdict = ({ expectedSeconds, worstSeconds, objectiveSeconds }: RecoveryForecast): string => {
  if (expectedSeconds > objectiveSeconds) return 'MISSED as expected';
  return worstSeconds > objectiveSeconds ? 'MISSED at worst' : 'kept';
};
