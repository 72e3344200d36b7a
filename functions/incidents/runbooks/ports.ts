import type { DatabaseId, Region } from '../../common/ids.ts';
import type { RunbookHistory } from './models.ts';

/** What automated runbooks did in this Region. @throws ServiceUnavailable */
export interface RunbookRuns {
  /** Strongly consistent. */
  history(): Promise<RunbookHistory>;
  /** Writes it if the stored `version` is `history.version` (0: nothing is stored), stores `version + 1`. @throws Conflict */
  put(history: RunbookHistory): Promise<void>;
}

export interface StorageState {
  /** Storage that somebody has to enlarge. False for Aurora, whose storage grows by itself: the rest means nothing then. */
  readonly isAllocated: boolean;
  readonly gigabytes: number;
  /** Where the database service enlarges it by itself: no further than this. */
  readonly mostGigabytes: number | undefined;
  /** The service's own word: it takes changes of the storage while `available` or `storage-full`, and no others. */
  readonly status: string;
  /** The last time that somebody changed it, within the last six hours. */
  readonly changedAt: Date | undefined;
}

/** Storage of the live databases. @throws NotFound, ServiceUnavailable */
export interface DatabaseStorage {
  describe(databaseId: DatabaseId, region: Region): Promise<StorageState>;
  /** At once. Never makes it smaller; asking again for what was asked for changes nothing. @throws InvalidInput when the service refuses */
  enlarge(databaseId: DatabaseId, region: Region, gigabytes: number): Promise<void>;
}
