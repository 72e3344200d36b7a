import hms from '../config/examples/hms.ts';
import { minutes, seconds } from '../functions/common/duration.ts';
import { Region } from '../functions/common/ids.ts';
import { Operations } from '../functions/common/operations.ts';

export const primary = Region.parse('us-east-1');
export const standby = Region.parse('us-west-2');
export const tertiary = Region.parse('eu-west-1');
export const witness = Region.parse('us-east-2');

/** Regions whose handlers run. */
export const operatedRegions = [primary, standby, tertiary] as const;
/** Regions that can lead. */
export const candidates = [primary, standby] as const;

/** What differs from run to run. */
export interface PolicyVariant {
  readonly mode: 'automatic' | 'approve';
  /** Loss budget, seconds. */
  readonly budgetSeconds: number;
}

/** People who may approve. The requester of planned changes is one of them. */
export const operators = ['operator-ada', 'operator-grace'] as const;

/**
 * The example of the HMS manual with one database. Leases keep the profile's numbers; what only lasts (dwell, cool-down, expiry of approvals) is shorter,
 * so that a run is minutes of simulated time. The cool-down stays longer than the longest freeze, as ADR 6 demands of a deployment.
 */
export function simulatedOperations({ mode, budgetSeconds }: PolicyVariant): Operations {
  const [database] = hms.databases;
  if (!database) throw new RangeError('the example has no database');
  const health = (name: string) => Object.fromEntries(candidates.map((region) => [region, `https://${name}.${region}.hospital.example/health`]));
  return Operations.parse({
    ...hms,
    regions: { primary, standby, tertiary },
    databases: [{ ...database, objectives: { ...database.objectives, rpo: seconds(budgetSeconds), regionLossRpo: seconds(budgetSeconds) } }],
    canary: { ...hms.canary, interval: seconds(5) },
    failover: {
      ...hms.failover,
      mode,
      witness,
      lease: { length: seconds(20), margin: seconds(5), renewEvery: seconds(5) },
      observe: {
        every: seconds(5),
        timeout: seconds(2),
        voteMaxAge: seconds(30),
        failuresToTrip: 2,
        successesToClear: 2,
        dwell: seconds(5),
      },
      triggers: { criticalServicesUnhealthy: 2, regionUnreachable: true, databaseUnhealthy: true },
      coolDown: seconds(90),
      approvals: { by: ['operator-*'], expireAfter: minutes(1) },
      services: ['orders', 'patients'].map((name) => ({ name, critical: true, health: health(name) })),
      capacity: [
        {
          name: 'orders-api',
          kind: 'ecs-service',
          sites: { [primary]: 'hms/orders-api', [standby]: 'hms-standby/orders-api' },
          active: 4,
          standby: 2,
        },
      ],
      routing: {},
    },
  });
}
