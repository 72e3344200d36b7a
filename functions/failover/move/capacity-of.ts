import type { Region } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import type { CapacityTarget } from '../ports.ts';

/** What runs in a Region, and how many of each while it is active. */
export const capacityOf = (
  { failover }: Operations,
  region: Region,
): readonly { readonly target: CapacityTarget; readonly active: number }[] =>
  failover.capacity.filter(({ sites }) => region in sites).map(({ name, active }) => ({ target: { name, region }, active }));
