import type { Operations } from '../common/operations.ts';
import { type Finding, warning } from './finding.ts';

/** Thresholds of the manuals that nothing is held against, because the config does not name what it takes. Nothing while alarms go by mail. */
export function alarmFindings({ incidents, databases }: Operations): readonly Finding[] {
  if (incidents.mode === 'off') return [];
  const sizes = databases.flatMap(({ engine, sites }, index) =>
    Object.entries(sites).flatMap(([region, { limits }]) => {
      const wanted = ['memoryGigabytes', 'maxConnections', ...(engine === 'rds-postgres' ? ['storageGigabytes'] : [])] as const;
      const missing = wanted.filter((key) => !Object.hasOwn(limits ?? {}, key));
      if (missing.length === 0) return [];
      const says = `nothing rings when its memory, disk or connections run out: ${missing.join(', ')} not given`;
      return [
        warning(`databases[${index}].sites['${region}'].limits`, says, 'Write them; CloudWatch counts what is left and not of how much.'),
      ];
    }),
  );
  const watched = new Set(
    incidents.monitored.flatMap(({ loadBalancer, metrics }) => [
      ...(loadBalancer ? ['ErrorRateHigh', 'ResponseSlow'] : []),
      ...metrics.map(({ alarm }) => alarm),
    ]),
  );
  const unwatched = ['ErrorRateHigh', 'ResponseSlow', 'FailedLogins'].filter((alarm) => !watched.has(alarm));
  if (unwatched.length === 0) return sizes;
  const mend = 'Name the load balancer of each service, and the metric of failed logins: docs/operations.md, "Alarms and dashboards".';
  return [...sizes, warning('incidents.monitored', `nothing can raise ${unwatched.join(', ')}`, mend)];
}
