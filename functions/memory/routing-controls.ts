import type { Region } from '../common/ids.ts';
import type { RoutingControls } from '../failover/ports.ts';
import { type Failable, failable } from './failable.ts';

export interface MemoryRoutingControls extends RoutingControls, Failable<RoutingControls> {
  /** Every switch, in order: the last one is on. */
  readonly switched: readonly Region[];
}

export function memoryRoutingControls(): MemoryRoutingControls {
  const switched: Region[] = [];
  const port = failable<RoutingControls>({
    async switchTo(region) {
      switched.push(region);
    },
  });
  return Object.assign(port, { switched });
}
