import { timestamp } from '../../common/ids.ts';
import type { Vote } from '../models.ts';
import { newestSeen } from './live-system.ts';
import type { RehearsedDatabase } from './models.ts';

/** The copy stops following its source: from here loss and time count. What is noted first stays. */
export function parted(database: RehearsedDatabase, votes: readonly Vote[], now: Date): RehearsedDatabase {
  if (database.partedAt !== undefined) return database;
  const seen = newestSeen(votes, database.databaseId);
  const canary = seen?.position.canary;
  return { ...database, partedAt: timestamp(now), ...(seen && canary ? { live: { canary, at: seen.at } } : {}) };
}
