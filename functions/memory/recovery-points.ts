import { databaseIdOf, RecoveryPoint } from '../backup/models.ts';
import type { RecoveryPoints } from '../backup/ports.ts';
import { Conflict, InvalidInput } from '../common/errors.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';

export function memoryRecoveryPoints(store: ItemStore): RecoveryPoints {
  const points = items(store, 'recovery-points', RecoveryPoint);
  return {
    async get(id) {
      return points.get(id)?.value;
    },
    async list(databaseId) {
      return points
        .list()
        .filter((point) => point.databaseId === databaseId)
        .sort((a, b) => Date.parse(b.requestedAt) - Date.parse(a.requestedAt) || (a.id < b.id ? 1 : -1));
    },
    async add(point) {
      if (databaseIdOf(point.id) !== point.databaseId) {
        throw new InvalidInput(`${point.id} is not the id of a recovery point of ${point.databaseId}`, {
          hint: 'Make ids with recoveryPointId().',
        });
      }
      points.put(point.id, point, 'absent');
    },
    async update(point) {
      const stored = points.get(point.id);
      if (stored?.value.version !== point.version) {
        throw new Conflict(`${point.id} is at version ${stored?.value.version ?? 'none'}, not ${point.version}`);
      }
      const next = { ...point, version: point.version + 1 };
      points.put(point.id, next, { version: stored.version });
      return next;
    },
  };
}
