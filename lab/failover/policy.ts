import type { OperationsInput } from '../../config/define-operations.ts';
import { type Duration, minutes, seconds } from '../../functions/common/duration.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { labRegions } from '../operations.ts';
import { serviceUrl } from './probes.ts';

/** How fast the lab notices and how long its leases are, in seconds. */
export interface LabFailoverNumbers {
  readonly lease: { readonly length: Duration; readonly margin: Duration; readonly renewEvery: Duration };
  readonly observe: {
    readonly every: Duration;
    readonly timeout: Duration;
    readonly voteMaxAge: Duration;
    readonly failuresToTrip: number;
    readonly successesToClear: number;
    readonly dwell: Duration;
  };
}

/** Short enough to watch. A loss is noticed after `failuresToTrip` probes and `dwell`: 4 to 5 s. */
export const watchableNumbers: LabFailoverNumbers = {
  lease: { length: seconds(6), margin: seconds(1), renewEvery: seconds(1) },
  observe: { every: seconds(1), timeout: seconds(1), voteMaxAge: seconds(5), failuresToTrip: 2, successesToClear: 2, dwell: seconds(3) },
};

/** The services of the lab's hospital; all of them are critical, and the first can be scaled. */
const labServices = ['api', 'records', 'orders'] as const;
const scaledService: (typeof labServices)[number] = 'api';
/** Tasks of the scaled service while its region is active, and while it stands by. */
const strength = { active: 4, standby: 2 };

/** Who may answer questions in the lab: the names that `codeblue --lab` runs under are not among them. */
export const approvers = { first: 'lab/alice', second: 'lab/bob' } as const;

/** Longest loss with a region that needs no human, seconds: more than a lease, because that long nobody can know what was written last. */
export const lossBudget = seconds(12);

/**
 * The config with that budget. Its rules refuse it for good reason: an alarm on a lagging replica would come far too late. The lab has no such alarm, and shows
 * what happens when the budget is exceeded.
 */
export const withLossBudget = (operations: Operations): Operations => ({
  ...operations,
  databases: operations.databases.map((database) => ({ ...database, objectives: { ...database.objectives, regionLossRpo: lossBudget } })),
});

/** With a vault that locks: the profiles begin with one that is only being simulated. */
export const withLockedVault = (operations: Operations): Operations => ({
  ...operations,
  vaultLock: { ...operations.vaultLock, mode: 'compliance' },
});

/** The `failover` part of the lab's config with automatic mode. */
export function labFailover({ lease, observe }: LabFailoverNumbers): OperationsInput['failover'] {
  const regions = Object.values(labRegions);
  const candidates = [labRegions.primary, labRegions.standby];
  return {
    mode: 'automatic',
    lease,
    observe,
    triggers: { criticalServicesUnhealthy: labServices.length, regionUnreachable: true, databaseUnhealthy: true },
    // Half an hour in the profiles. A lab that rested so long would be no lab.
    coolDown: seconds(5),
    approvals: { by: Object.values(approvers), expireAfter: minutes(5) },
    services: labServices.map((name) => ({
      name,
      critical: true,
      health: Object.fromEntries(regions.map((region) => [region, serviceUrl(name, region)])),
    })),
    capacity: [
      {
        name: scaledService,
        kind: 'ecs-service',
        sites: Object.fromEntries(candidates.map((region) => [region, `lab/${scaledService}`])),
        ...strength,
      },
    ],
  };
}
