import { InvalidInput } from '../../common/errors.ts';
import { DatabaseId, type Region } from '../../common/ids.ts';
import type { AutomatedRunbook } from '../../common/incident-policy.ts';
import type { Operations } from '../../common/operations.ts';
import type { Capacity, Coordination } from '../../failover/ports.ts';
import { type Leadership, leaderOf } from './guard.ts';
import type { Facts } from './plan.ts';
import type { DatabaseStorage } from './ports.ts';

/** Who leads and who holds what. Where the lead never moves there is no table to ask. @throws ServiceUnavailable */
export async function readLeadership({
  coordination,
  operations,
}: {
  readonly coordination: Pick<Coordination, 'read' | 'hold' | 'containment'>;
  readonly operations: Pick<Operations, 'failover'>;
}): Promise<Leadership> {
  if (operations.failover.mode === 'off') return { record: undefined, hold: undefined, containment: undefined };
  const [record, hold, containment] = await Promise.all([coordination.read(), coordination.hold(), coordination.containment()]);
  return { record, hold, containment };
}

/** What is so now of the thing that a runbook acts on. @throws NotFound, ServiceUnavailable */
export async function readFacts(
  { action }: Pick<AutomatedRunbook, 'action'>,
  region: Region,
  leadership: Leadership,
  ports: {
    readonly capacity: Pick<Capacity, 'describe'>;
    readonly databaseStorage: DatabaseStorage;
    readonly operations: Pick<Operations, 'regions'>;
  },
): Promise<Facts> {
  switch (action.kind) {
    case 'restart-service':
    case 'scale-out':
      return { kind: 'capacity', ...(await ports.capacity.describe({ name: action.capacity, region })) };
    case 'enlarge-storage':
      return { kind: 'storage', storage: await ports.databaseStorage.describe(DatabaseId.parse(action.database), region) };
    case 'end-long-queries':
    case 'emergency-backup':
      return { kind: 'database', leader: leaderOf(leadership, ports.operations.regions.primary) };
  }
}

/** The runbook of that id. @throws InvalidInput naming those that there are */
export function runbookOf({ incidents }: Pick<Operations, 'incidents'>, id: string): AutomatedRunbook {
  const found = incidents.runbooks.find((runbook) => runbook.id === id);
  if (found) return found;
  const names = incidents.runbooks.map((runbook) => runbook.id).join(', ');
  throw new InvalidInput(`there is no automated runbook "${id}" in the config`, {
    hint: names ? `It has: ${names}.` : 'It has none: incidents.runbooks.',
  });
}
