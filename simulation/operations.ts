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
  readonly databases: 1 | 2;
}

/** People who may approve. The requester of planned changes is one of them. */
export const operators = ['operator-ada', 'operator-grace'] as const;

/**
 * The example of the HMS manual with one database or two. What only lasts (dwell, cool-down, expiry of approvals) is shorter than in the profile, so that a run is
 * two minutes of simulated time; the cool-down stays longer than the longest freeze, as ADR 6 demands of a deployment. The margin is twice the profile's: the errors
 * that it must cover are drawn up to it, and a failover that forgot it has to be too fast by more than its own steps are slow.
 */
export function simulatedOperations({ mode, budgetSeconds, databases }: PolicyVariant): Operations {
  const [database] = hms.databases;
  if (!database) throw new RangeError('the example has no database');
  const objectives = { ...database.objectives, rpo: seconds(budgetSeconds), regionLossRpo: seconds(budgetSeconds) };
  const first = { ...database, objectives };
  const health = (name: string) =>
    Object.fromEntries(candidates.map((region) => [region, `https://${name}.${region}.hospital.example/health`]));
  return Operations.parse({
    ...hms,
    regions: { primary, standby, tertiary },
    databases: [first, { ...first, id: 'billing', databaseNames: ['billing'] }].slice(0, databases),
    canary: { ...hms.canary, interval: seconds(5) },
    failover: {
      ...hms.failover,
      mode,
      witness,
      lease: { length: seconds(20), margin: seconds(10), renewEvery: seconds(6) },
      observe: {
        every: seconds(6),
        timeout: seconds(2),
        voteMaxAge: seconds(20),
        failuresToTrip: 2,
        successesToClear: 2,
        dwell: seconds(6),
      },
      triggers: { criticalServicesUnhealthy: 1, regionUnreachable: true, databaseUnhealthy: true },
      coolDown: seconds(90),
      approvals: { by: ['operator-*'], expireAfter: minutes(1) },
      services: [{ name: 'orders', critical: true, health: health('orders') }],
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
