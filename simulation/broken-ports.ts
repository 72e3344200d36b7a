import type { Coordination, Fence } from '../functions/failover/ports.ts';
import type { Flaws } from './flaws.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

type Where = (process: Process) => boolean;

export const inStep =
  (...names: readonly string[]): Where =>
  ({ name }) =>
    names.some((step) => name.startsWith(`step ${step} `));
export const inGuardians: Where = ({ name }) => name.startsWith('guard-lease ');
export const inObservers: Where = ({ name }) => name.startsWith('observe-regions ');

/** Replaces methods of the coordination port in some processes. */
export const brokenCoordination =
  (
    where: Where,
    broken: (coordination: Coordination, process: Process, world: World) => Partial<Coordination>,
  ): NonNullable<Flaws['ports']> =>
  (ports, process, world) => {
    if (!ports.coordination || !where(process)) return ports;
    return { ...ports, coordination: { ...ports.coordination, ...broken(ports.coordination, process, world) } };
  };

/** Replaces methods of every fence that some processes open. */
export const brokenFences =
  (where: Where, broken: (fence: Fence, process: Process, world: World) => Partial<Fence>): NonNullable<Flaws['ports']> =>
  (ports, process, world) => {
    const { fences } = ports;
    if (!fences || !where(process)) return ports;
    const open = async (...place: Parameters<typeof fences.open>) => {
      const fence = await fences.open(...place);
      return { ...fence, ...broken(fence, process, world) };
    };
    return { ...ports, fences: { ...fences, open } };
  };
