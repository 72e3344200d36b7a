import type { Operations } from '../functions/common/operations.ts';
import type { Ports } from '../functions/common/ports.ts';
import type { ServerFlaws } from './database-server.ts';
import type { Definition } from './machine/definition.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

/** What a deliberate breakage changes, at the seams of the protocol and nowhere inside it. */
export interface Flaws {
  readonly ports?: (ports: Partial<Ports>, process: Process, world: World) => Partial<Ports>;
  readonly operations?: (operations: Operations, process: Process) => Operations;
  readonly definition?: (definition: Definition) => Definition;
  readonly server?: ServerFlaws;
}
