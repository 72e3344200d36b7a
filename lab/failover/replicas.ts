import type { Clock } from '../../functions/common/clock.ts';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import type { DatabaseId, Region } from '../../functions/common/ids.ts';
import { pgServer } from '../../functions/common/pg-server.ts';
import type { ReplicaState, Replicas } from '../../functions/failover/ports.ts';
import type { SqlSession } from '../../functions/verify/ports.ts';
import type { Background } from '../background.ts';
import type { Regions } from '../regions.ts';
import { followedRegion, isStandby } from './following.ts';
import { type Rebuild, readRebuild, rebuildStandby, writeRebuild } from './rebuild.ts';
import { createRehearsal, promoteRehearsal } from './rehearsals.ts';
import { prepareSwap, replacedIn, swapIn } from './swaps.ts';

/** Promotion and rebuilding of the lab's real servers. */
export function labReplicas(regions: Regions, clock: Clock, background: Background): Replicas {
  const inSession = async <T>(region: Region, work: (session: SqlSession) => Promise<T>): Promise<T> => {
    const session = await pgServer(regions.address(region, 'admin')).connect('postgres');
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  };

  async function describe(databaseId: DatabaseId, region: Region): Promise<ReplicaState> {
    regions.checkDatabase(databaseId);
    const { server, paths } = regions.use(region);
    const facts = { databaseId, region };
    const rebuild = readRebuild(paths);
    if (rebuild?.status === 'creating') return { ...facts, role: 'replica', status: 'creating', says: 'a standby is being made' };
    if (rebuild?.status === 'failed') return { ...facts, role: 'absent', status: 'failed', says: rebuild.reason ?? 'it could not be made' };
    switch (server.status()) {
      case 'stopped':
        return { ...facts, role: 'absent', status: 'failed', says: 'its server does not run' };
      case 'starting':
        return { ...facts, role: 'replica', status: 'creating', says: 'its server is starting' };
      case 'ready': {
        const standby = await inSession(region, isStandby);
        return { ...facts, role: standby ? 'replica' : 'primary', status: 'available', says: standby ? 'in recovery' : 'takes writes' };
      }
    }
  }

  return {
    describe,
    async promote({ databaseId, region }) {
      regions.checkDatabase(databaseId);
      regions.use(region);
      await inSession(region, async (session) => {
        if (await isStandby(session)) await session.query('SELECT pg_promote(false)');
      });
    },
    async rebuild({ databaseId, region, from, epoch }) {
      regions.checkDatabase(databaseId);
      const { paths, server } = regions.use(region);
      const source = regions.use(from);
      const earlier = readRebuild(paths);
      if (earlier?.epoch === epoch && earlier.status !== 'failed') return;
      const follows = server.status() === 'ready' ? await inSession(region, (session) => followedRegion(session, regions)) : undefined;
      // A standby made before a copy took the place of its primary has the replaced one's history, whoever has the address now.
      const isOfToday = (earlier?.epoch ?? 0) >= (replacedIn(source.paths) ?? 0);
      if (follows === from && isOfToday) return;
      const note = (change: Pick<Rebuild, 'status' | 'reason'>): void => writeRebuild(paths, { epoch, pid: process.pid, ...change });
      note({ status: 'creating' });
      background.run(
        rebuildStandby(regions, region, from, epoch).then(
          () => note({ status: 'available' }),
          (error: unknown) => note({ status: 'failed', reason: error instanceof Error ? error.message : String(error) }),
        ),
      );
    },
    prepareSwap: (request) => prepareSwap(regions, request),
    swapIn: (request) => swapIn(regions, request),
    async createRehearsal(request) {
      regions.checkDatabase(request.databaseId);
      await createRehearsal(regions, clock, background, request);
    },
    async promoteRehearsal({ region, restoredId }) {
      if (!(await promoteRehearsal(regions, region, restoredId)))
        throw new ServiceUnavailable(`rehearsal ${restoredId} does not answer yet`);
    },
  };
}
