import { IncidentPolicy } from '../../functions/common/incident-policy.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { testOperations } from './operations.ts';

const [primary, standby] = ['us-east-1', 'us-west-2'] as const;

/** A workload of which everything is named that an alarm can be held against. */
const monitored = IncidentPolicy.shape.monitored.parse([
  {
    id: 'portal',
    loadBalancer: {
      [primary]: { name: 'app/portal/50dc6c495c0c9188', targetGroup: 'targetgroup/portal/73e2d6bc24d8a067' },
      [standby]: { name: 'app/portal/50dc6c495c0c9189', targetGroup: 'targetgroup/portal/73e2d6bc24d8a068' },
    },
    metrics: [
      { alarm: 'FailedLogins', sites: { [primary]: { namespace: 'Hospital', metric: 'FailedLogins' } } },
      { alarm: 'DiskFull', sites: { [primary]: { namespace: 'CWAgent', metric: 'disk_used_percent', dimensions: { path: '/' } } } },
      {
        alarm: 'LatencyHigh',
        inMilliseconds: true,
        sites: { [primary]: { namespace: 'AWS/NetworkMonitor', metric: 'RTT', dimensions: { Probe: 'p1' } } },
      },
    ],
  },
  {
    id: 'gateway',
    metrics: [
      {
        alarm: 'ErrorRateHigh',
        sites: { [primary]: { namespace: 'Gateway', metric: 'errors', of: { namespace: 'Gateway', metric: 'requests' } } },
      },
      { alarm: 'ServiceDown', sites: { [primary]: { namespace: 'Gateway', metric: 'down' } } },
      { alarm: 'ConnectionsHigh', sites: { [primary]: { namespace: 'Gateway', metric: 'pool_used_percent' } } },
    ],
  },
]);

/** Where the pager is on, something mends itself too. */
const runbooks = IncidentPolicy.shape.runbooks.parse([
  {
    id: 'restart-orders',
    alarm: 'CpuHigh',
    action: { kind: 'restart-service', capacity: 'orders-api' },
    guard: { when: 'anytime', tries: 2, per: 21_600, approval: false },
    helpsWithin: 600,
  },
]);

const witness = { verifierKey: 'witness.example+3bcd9d5e+AZiI6Zgw4lSYGC8G6WwWxoAlaR7Jvlvyb2OrT1kRPZZe', url: 'https://witness.example' };

interface Variant {
  readonly failover?: 'off' | 'approve';
  readonly incidents?: 'off' | 'on';
}

/** `testOperations` with all that alarms can be derived from: sizes of the databases, load balancers, metrics of the workload's own. */
export function monitoredOperations({ failover = 'approve', incidents = 'off' }: Variant = {}): Operations {
  const given = testOperations();
  const limits = { memoryGigabytes: 16, storageGigabytes: 200, maxConnections: 500 };
  return testOperations({
    failover: { ...given.failover, mode: failover },
    incidents: { ...given.incidents, mode: incidents, monitored, runbooks },
    audit: { ...given.audit, witnesses: { use: [witness], quorum: 0 } },
    databases: given.databases.map((database) => ({
      ...database,
      sites: Object.fromEntries(Object.entries(database.sites).map(([region, site]) => [region, { ...site, limits }])),
    })),
  });
}
