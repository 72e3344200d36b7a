import { z } from 'zod';
import type { Region } from '../../functions/common/ids.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { pgServer } from '../../functions/common/pg-server.ts';
import type { SqlSession } from '../../functions/verify/ports.ts';
import type { Regions } from '../regions.ts';
import type { LabCloudWatch } from './cloudwatch.ts';

const Connections = z.object({ connections: z.coerce.number() });
const Lag = z.object({ seconds: z.coerce.number() });

/** What RDS tells CloudWatch of the server of one Region, read from the real one. One session that is opened anew when it is lost. */
export class ServerSampler {
  readonly #regions: Regions;
  readonly #region: Region;
  readonly #identifier: string;
  readonly #cloudWatch: LabCloudWatch;
  readonly #isReplica: boolean;
  #session: SqlSession | undefined;

  constructor(
    regions: Regions,
    region: Region,
    { databases }: Pick<Operations, 'databases'>,
    cloudWatch: LabCloudWatch,
    isReplica: boolean,
  ) {
    this.#regions = regions;
    this.#region = region;
    this.#identifier = databases[0]?.sites[region]?.identifier ?? '';
    this.#cloudWatch = cloudWatch;
    this.#isReplica = isReplica;
  }

  /** A server that does not answer has no data points, as in CloudWatch. */
  async sample(): Promise<void> {
    try {
      this.#session ??= await pgServer(this.#regions.address(this.#region, 'admin')).connect('postgres');
      const [row] = await this.#session.query(`SELECT count(*) AS connections FROM pg_stat_activity WHERE backend_type = 'client backend'`);
      this.#put('DatabaseConnections', Connections.parse(row).connections);
      if (!this.#isReplica) return;
      // As RDS has it: the age of the last replayed transaction. The writer commits all the time, so an idle primary is not taken for a lag.
      const [lag] = await this.#session.query(
        `SELECT coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0) AS seconds`,
      );
      this.#put('ReplicaLag', Math.max(0, Lag.parse(lag).seconds));
    } catch {
      await this.close();
    }
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.close().catch(() => {});
  }

  #put(name: string, value: number): void {
    this.#cloudWatch.put({ namespace: 'AWS/RDS', name, dimensions: { DBInstanceIdentifier: this.#identifier } }, value);
  }
}
