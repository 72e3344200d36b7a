import type { Region } from '../../functions/common/ids.ts';
import type { PgAddress } from '../../functions/common/pg-server.ts';
import type { LeaseEndpoint } from '../../lab/failover/lease-router.ts';

/** Two regions with a database and a third that only counts, under one of the contenders: running, replicating, with nothing to complain of. */
export interface System {
  /** Where the primary is, and what will be lost. */
  readonly primary: Region;
  /** Where it goes. */
  readonly standby: Region;
  /** What the clients' router asks: 200 from the region that the traffic belongs to. */
  readonly endpoints: readonly LeaseEndpoint[];
  /** How the hospital's software reaches the server of a region. */
  address(region: Region): PgAddress;
  /** Kills everything in the primary's region in one instant. @returns the moment, by `performance.now()` */
  loseRegion(): number;
  /** From now on nothing passes between the primary's region and the others; its clients still reach it. */
  cutOff(): Promise<void>;
  /** Kills what keeps the primary in check in its region; PostgreSQL and the coordination service stay alive. */
  killAgents(): Promise<void>;
  /** What it says of itself, to explain a play that failed. */
  says(): Promise<string>;
  /** Ends every process and removes every file. */
  stop(): Promise<void>;
}

/** One product with one set of times. */
export interface Contender {
  readonly name: string;
  /** Its times, in its own words. */
  readonly settings: string;
  /** Everything repeats after so long: plays are spread evenly over it. */
  readonly cycleSeconds: number;
  /** Objective for the median outage of Codeblue, as a part of this one's; rivals only. */
  readonly atMost?: number;
  /** Always from the same data. @param round  counts from 0 */
  start(round: number): Promise<System>;
}
