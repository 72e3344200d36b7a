import { InvalidInput } from './errors.ts';
import type { Region } from './ids.ts';
import type { Database, Operations } from './operations.ts';

/** The database of that id. @throws InvalidInput naming the ids that exist */
export function databaseOf(operations: Operations, id: string): Database {
  const found = operations.databases.find((database) => database.id === id);
  if (found) return found;
  throw new InvalidInput(`there is no database "${id}" in the config`, {
    hint: `It has: ${operations.databases.map((database) => database.id).join(', ')}.`,
  });
}

/**
 * Whether a Region is the one that acts for the deployment: runs the tasks of the active Region and writes the inventory. The configured
 * primary in this version; failover will put its lease here.
 */
export const isActive = (operations: Operations, region: Region): boolean => region === operations.regions.primary;

export const regionsOf = (operations: Pick<Operations, 'regions'>): readonly Region[] => [
  operations.regions.primary,
  operations.regions.standby,
  operations.regions.tertiary,
];
