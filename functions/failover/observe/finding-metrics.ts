import { metricNames } from '../../maintenance/metric-names.ts';
import type { Metrics } from '../../maintenance/ports.ts';
import type { Vote } from '../models.ts';

type Metric = Parameters<Metrics['put']>[0];

/**
 * What alarms hear of a vote. Of services and databases the leading Region's own observer tells, so that one alarm rings and not three; of the Region itself the others do:
 * one that is lost tells nothing. What was never seen well is told by `BlindSubjects`.
 */
export function findingMetrics({ observer, about, findings }: Pick<Vote, 'observer' | 'about' | 'findings'>): readonly Metric[] {
  return findings.flatMap(({ subject, status }): readonly Metric[] => {
    if (status === 'unknown') return [];
    const down = { capability: 'failover', value: status === 'unhealthy' ? 1 : 0, unit: 'Count' } as const;
    const [kind, id] = subject.split('/');
    if (kind === 'region')
      return observer === about ? [] : [{ ...down, name: metricNames.failover.regionDown, dimensions: { Region: about } }];
    if (observer !== about || id === undefined) return [];
    if (kind === 'service') return [{ ...down, name: metricNames.failover.serviceDown, dimensions: { Region: about, Service: id } }];
    return [{ ...down, name: metricNames.failover.databaseDown, dimensions: { Region: about, Database: id } }];
  });
}
