import type { Need } from '../../functions/common/ports.ts';
import type { Grant } from './grant.ts';
import type { RegionScope } from './region-scope.ts';

type FailoverPort =
  | 'capacity'
  | 'coordination'
  | 'fences'
  | 'network-fence'
  | 'notices'
  | 'probes'
  | 'replicas'
  | 'reports'
  | 'routing-controls';
export type FailoverNeed = Extract<Need, `${FailoverPort}:${string}`>;

export const isFailoverNeed = (need: Need): need is FailoverNeed =>
  /^(capacity|coordination|fences|network-fence|notices|probes|replicas|reports|routing-controls):/.test(need);

/** The IAM of one need of failover, in one Region. */
export function failoverPermissions(_need: FailoverNeed, _scope: RegionScope): readonly Grant[] {
  return [];
}
