import type { DatabaseId, Region } from '../../common/ids.ts';
import { Epoch } from '../models.ts';
import { readBeginning } from '../move/beginning.ts';
import type { Reports } from '../ports.ts';
import { failoversPrefix } from '../report/report-keys.ts';
import { type Fork, forkOf } from './fork.ts';

const beginningKey = new RegExp(`^${failoversPrefix}(?<epoch>\\d+)/beginning\\.json$`);

/** The fork of one database by its id and name; undefined where nobody noted it. */
export type Forks = (databaseId: DatabaseId, databaseName: string) => Fork | undefined;

/** Where the history of the Region that leads parts from that of the one before it: what its newest promotion noted before the first write. */
export async function forksOf(reports: Reports, leader: Region): Promise<Forks> {
  const epochs = (await reports.list(leader, failoversPrefix)).flatMap((key) => beginningKey.exec(key)?.groups?.epoch ?? []).map(Number);
  if (epochs.length === 0) return () => undefined;
  const beginning = await readBeginning(reports, { epoch: Epoch.parse(Math.max(...epochs)), to: leader });
  return (databaseId, databaseName) => {
    const noted = beginning?.snapshots.find((each) => each.databaseId === databaseId && each.databaseName === databaseName);
    return noted && forkOf(noted.snapshot);
  };
}
