import type { Clock } from '../common/clock.ts';
import { Conflict, ServiceUnavailable } from '../common/errors.ts';
import { type DatabaseId, type Region, timestamp } from '../common/ids.ts';
import type { Operations } from '../common/operations.ts';
import { databaseOf } from '../common/operations-lookup.ts';
import { SqlFailed } from '../common/sql-failed.ts';
import { Epoch } from '../failover/models.ts';
import type { Fence, Fences } from '../failover/ports.ts';
import type { LiveServer, LiveServers } from './live-servers.ts';

/** What a test sees and changes of one modelled server. */
export interface MemoryServer {
  facts(): LiveServer;
  /** Offset of its clock, tables that are not fenced, whether it answers, whether anything reaches the replica, its position, ... */
  set(facts: Partial<LiveServer>): void;
  /** Somebody writes (the canary, say). @returns whether the server accepted it */
  write(): boolean;
}

export interface MemoryFences extends Fences {
  server(databaseId: DatabaseId, region: Region): MemoryServer;
  /** The next call of that method, on any fence, throws `error`, before it does anything. Several are thrown in order. */
  failNext(method: keyof Fence | keyof Fences, error: Error): void;
}

/** The lease of modelled servers, each with a clock of its own: the rules of the SQL fence, without SQL. */
export function memoryFences(settings: {
  readonly operations: Operations;
  readonly clock: Clock;
  readonly servers: LiveServers;
}): MemoryFences {
  const { operations, clock, servers } = settings;
  const failures = new Map<string, Error[]>();
  const inject = (method: keyof Fence | keyof Fences): void => {
    const error = failures.get(method)?.shift();
    if (error) throw error;
  };
  const clockOf = (server: LiveServer): number => clock.now().getTime() * 1000 + server.clockOffsetMicros;
  const isReplica = (server: LiveServer): boolean => server.role === 'replica';
  const isOpen = (server: LiveServer): boolean => !isReplica(server) && (!server.installed || clockOf(server) < server.lease.untilMicros);

  /** The server, when it answers at all. @throws ServiceUnavailable, NotFound */
  function reach(databaseId: DatabaseId, region: Region): LiveServer {
    const server = servers.require(databaseId, region);
    const down = !server.reachable || server.failed || server.work?.kind === 'creating';
    if (down) throw new ServiceUnavailable(`${databaseId} in ${region} does not answer`);
    return server;
  }

  function writable(databaseId: DatabaseId, region: Region): LiveServer {
    const server = reach(databaseId, region);
    if (isReplica(server)) throw new SqlFailed('25006', 'cannot execute UPDATE in a read-only transaction');
    return server;
  }

  function written({ position }: LiveServer): Pick<LiveServer, 'position'> {
    const canary = { seq: (position.canary?.seq ?? 0) + 1, writtenAt: timestamp(clock.now()) };
    return { position: { ...position, canary, transactions: position.transactions + 1 } };
  }

  function fence(databaseId: DatabaseId, region: Region): Fence {
    return {
      async clock() {
        inject('clock');
        return clockOf(reach(databaseId, region));
      },
      async renew({ epoch, holder, untilMicros, primarySince = Epoch.parse(0) }) {
        inject('renew');
        const { lease } = writable(databaseId, region);
        if (epoch < lease.epoch || (lease.replacedAt === holder && (lease.replacedIn ?? 0) <= primarySince)) return false;
        const longest = epoch === lease.epoch && epoch > 0 ? Math.max(lease.untilMicros, untilMicros) : untilMicros;
        servers.change(databaseId, region, {
          lease: { ...lease, epoch, holder, untilMicros: longest, replacedIn: undefined, replacedAt: undefined },
        });
        return true;
      },
      async close(epoch, { replaced, region: at, primarySince = Epoch.parse(0) } = {}) {
        inject('close');
        const server = writable(databaseId, region);
        const leased = epoch === server.lease.epoch && server.lease.holder !== undefined;
        const { replacedAt, replacedIn = 0 } = server.lease;
        const replacedBefore = replacedAt !== undefined && replacedAt === at && replacedIn <= primarySince;
        if (epoch < server.lease.epoch || leased || replacedBefore)
          throw new Conflict(`${databaseId} in ${region} has seen epoch ${server.lease.epoch}`);
        const { position } = server;
        const mark = { ...position, transactions: position.transactions + 1 };
        const { holder: _, ...lease } = server.lease;
        servers.change(databaseId, region, {
          lease: { ...lease, epoch, untilMicros: 0, closedFor: epoch, ...(replaced ? { replacedIn: epoch, replacedAt: at } : {}) },
          position: mark,
        });
        return mark;
      },
      async state() {
        inject('state');
        const server = reach(databaseId, region);
        const names = databaseOf(operations, databaseId).databaseNames ?? [databaseId];
        const { transactions } = server.position;
        return {
          installed: server.installed,
          epoch: server.lease.epoch,
          holder: server.lease.holder,
          untilMicros: server.lease.untilMicros,
          open: isOpen(server),
          closedFor: server.lease.closedFor,
          replacedIn: server.lease.replacedIn,
          unfenced: server.unfenced,
          isReplica: isReplica(server),
          snapshots: Object.fromEntries(names.map((name) => [name, `${transactions}:${transactions}:`])),
        };
      },
      async position() {
        inject('position');
        return reach(databaseId, region).position;
      },
      async end() {
        inject('end');
      },
    };
  }

  return {
    async open(databaseId, region) {
      inject('open');
      reach(databaseId, region);
      return fence(databaseId, region);
    },
    async openCopy({ databaseId, region, restoredId }) {
      inject('openCopy');
      // Of a copy nobody asks more than to be given a lease; the rest is of the server whose past it shows.
      return {
        ...fence(databaseId, region),
        async renew({ epoch, holder, untilMicros }) {
          servers.leaseCopy(`${region}/${restoredId}`, { epoch, holder, untilMicros });
          return true;
        },
      };
    },
    server: (databaseId, region) => ({
      facts: () => servers.require(databaseId, region),
      set: (facts) => void servers.change(databaseId, region, facts),
      write() {
        const server = servers.require(databaseId, region);
        if (!server.reachable || server.failed || !isOpen(server)) return false;
        servers.change(databaseId, region, written(server));
        return true;
      },
    }),
    failNext(method, error) {
      failures.set(method, [...(failures.get(method) ?? []), error]);
    },
  };
}
