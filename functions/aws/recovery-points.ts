import { databaseIdOf, RecoveryPoint } from '../backup/models.ts';
import type { RecoveryPoints } from '../backup/ports.ts';
import { Conflict, InvalidInput } from '../common/errors.ts';
import type { AwsSettings } from './settings.ts';
import { stateItems, stateKeys } from './state-items.ts';

/** The inventory in the state table; a point's own `version` is one less than its item's. */
export function recoveryPointsPort(settings: AwsSettings): RecoveryPoints {
  const items = stateItems(settings, RecoveryPoint);
  const keyOf = (point: RecoveryPoint) => stateKeys.recoveryPoint(point.databaseId, point.id);
  return {
    async get(id) {
      const databaseId = databaseIdOf(id);
      return databaseId && (await items.get(stateKeys.recoveryPoint(databaseId, id)))?.body;
    },
    async list(databaseId) {
      const points: RecoveryPoint[] = [];
      for await (const point of items.list(`points#${databaseId}`, 'ascending')) points.push(point);
      return points.sort((a, b) => Date.parse(b.requestedAt) - Date.parse(a.requestedAt) || (a.id < b.id ? 1 : -1));
    },
    async add(point) {
      if (databaseIdOf(point.id) !== point.databaseId) {
        throw new InvalidInput(`${point.id} is not the id of a recovery point of ${point.databaseId}`, {
          hint: 'Make ids with recoveryPointId().',
        });
      }
      await items.put(keyOf(point), point, 0);
    },
    async update(point) {
      const stored = await items.get(keyOf(point));
      if (stored?.body.version !== point.version) {
        throw new Conflict(`${point.id} is at version ${stored?.body.version ?? 'none'}, not ${point.version}`);
      }
      const next = { ...point, version: point.version + 1 };
      await items.put(keyOf(point), next, stored.version);
      return next;
    },
  };
}
