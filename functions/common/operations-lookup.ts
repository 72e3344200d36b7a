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

/** Refuses a Region that can never lead: what follows the lead exists in the primary and the standby only. @throws InvalidInput */
export function assertCanLead({ regions }: Pick<Operations, 'regions'>, region: Region): void {
  if (region === regions.primary || region === regions.standby) return;
  throw new InvalidInput(`${region} can never lead: ${regions.primary} and ${regions.standby} can`);
}

export const regionsOf = (operations: Pick<Operations, 'regions'>): readonly Region[] => [
  operations.regions.primary,
  operations.regions.standby,
  operations.regions.tertiary,
];
