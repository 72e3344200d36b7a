import { Conflict, NotFound, ServiceUnavailable } from '../functions/common/errors.ts';
import { type DatabaseId, type Region, timestamp } from '../functions/common/ids.ts';
import { SqlFailed } from '../functions/common/sql-failed.ts';
import type { Position } from '../functions/failover/models.ts';
import type { Fence, Fences, Replicas } from '../functions/failover/ports.ts';
import type { SqlServers } from '../functions/verify/ports.ts';
import type { DatabaseServer, LogEntry } from './database-server.ts';
import type { Exchanges } from './exchanges.ts';
import { AnswersLater, type Network } from './network.ts';
import type { Process } from './process.ts';
import type { Micros } from './virtual-time.ts';

/** Everything that a process does to databases, over the network. */
export interface DatabasePortsSettings {
  readonly network: Network;
  /** The server under the config's name in that Region. */
  readonly find: (databaseId: DatabaseId, region: Region) => DatabaseServer | undefined;
  /** What is reached by that name, which may be what had it a moment ago. */
  readonly resolve: (databaseId: DatabaseId, region: Region) => DatabaseServer | undefined;
  readonly exchanges: Pick<Exchanges, 'prepare' | 'swapIn' | 'server'>;
  /** Databases inside the server. */
  readonly databaseNames: (databaseId: DatabaseId) => readonly string[];
  readonly now: () => Micros;
  /** Begins a promotion; the server becomes writable by itself. */
  readonly promote: (server: DatabaseServer) => void;
  /** Told of every act on a database, when it takes effect. */
  readonly onAct: (act: 'promote' | 'close', process: Process, server: DatabaseServer) => void;
  /** Told of every act when it is asked for. */
  readonly onAsk: (act: 'promote' | 'close' | 'swap-in', process: Process) => void;
}

const positionOf = ({ canary, transactions, at }: LogEntry): Position => ({
  canary: { seq: canary.seq, writtenAt: timestamp(new Date(Math.floor(canary.writtenMicros / 1000))) },
  transactions,
  lsn: `0/${at.toString(16)}`,
});

export function databasePorts(
  process: Process,
  settings: DatabasePortsSettings,
): { fences: Fences; replicas: Replicas; sqlServers: SqlServers } {
  const { network, find, now, onAct } = settings;
  const ask = <T>(name: string, region: Region, effect: () => T | AnswersLater<T>) =>
    network.call(process, { name, to: () => region, effect });
  const answering = (databaseId: DatabaseId, region: Region): DatabaseServer => {
    const server = settings.resolve(databaseId, region);
    if (!server?.isUp) throw new ServiceUnavailable(`${databaseId} in ${region} does not answer`);
    return server;
  };

  /** One connection: it ends with the server that it was made to. */
  function fenceOf(server: DatabaseServer): Fence {
    const { starts } = server;
    const on = <T>(name: string, effect: () => T | AnswersLater<T>): Promise<T> =>
      ask(`fence.${name}`, server.region, () => {
        if (!server.isUp || server.starts !== starts)
          throw new ServiceUnavailable(`the connection to ${server.databaseId} in ${server.region} is gone`);
        return effect();
      });
    const writable = () => {
      if (server.role === 'replica') throw new SqlFailed('25006', 'cannot execute UPDATE in a read-only transaction');
    };
    return {
      clock: () => on('clock', () => server.showClock()),
      renew: ({ epoch, holder, untilMicros, primarySince }) =>
        on(`renew e${epoch}`, () => {
          writable();
          return server.renew(epoch, holder, untilMicros, primarySince);
        }),
      close: (epoch, { replaced, primarySince, region } = {}) => {
        settings.onAsk('close', process);
        return on(`close e${epoch}`, () => {
          writable();
          const leased = epoch === server.lease.epoch && server.lease.holder !== undefined;
          const replacedBefore = server.isReplacedFor(primarySince, region);
          if (epoch < server.lease.epoch || leased || replacedBefore)
            throw new Conflict(`${server.databaseId} has seen epoch ${server.lease.epoch}`);
          onAct('close', process, server);
          return new AnswersLater(server.close(epoch), () => {
            if (!server.isUp) throw new ServiceUnavailable(`${server.databaseId} in ${server.region} stopped`);
            const mark = server.mark(epoch, replaced ? region : undefined);
            if (!mark) throw new Conflict(`${server.databaseId} was opened while it was being closed for epoch ${epoch}`);
            return positionOf(mark);
          });
        });
      },
      state: () =>
        on('state', () => {
          const { lease, transactions } = server.newest;
          return {
            installed: true,
            ...lease,
            replacedIn: lease.replacedIn,
            open: server.isOpen,
            unfenced: server.unfenced,
            isReplica: server.role === 'replica',
            snapshots: { [server.databaseId]: `${transactions}:${transactions}:` },
          };
        }),
      position: () => on('position', () => positionOf(server.newest)),
      end: async () => {},
    };
  }

  const fences: Fences = {
    open: (databaseId, region) => ask('fences.open', region, () => fenceOf(answering(databaseId, region))),
    openCopy: (copy) =>
      ask('fences.openCopy', copy.region, () => {
        const server = settings.exchanges.server(copy);
        return {
          ...fenceOf(server),
          renew: ({ epoch, holder, untilMicros, primarySince }) =>
            ask('renew a copy', copy.region, () => server.renew(epoch, holder, untilMicros, primarySince)),
        };
      }),
  };

  const replicas: Replicas = {
    describe: (databaseId, region) =>
      ask('replicas.describe', region, () => {
        const server = find(databaseId, region);
        const role = server?.role ?? 'absent';
        const isMade = server !== undefined && now() < server.availableFrom;
        const status = isMade ? 'creating' : server?.promotingSince === undefined ? 'available' : 'promoting';
        return { databaseId, region, role, status, says: status };
      }),
    promote: ({ databaseId, region }) => {
      settings.onAsk('promote', process);
      return ask('replicas.promote', region, () => {
        const server = find(databaseId, region);
        if (!server) throw new NotFound(`there is no ${databaseId} in ${region}`);
        if (server.role === 'primary' || server.promotingSince !== undefined) return;
        if (now() < server.availableFrom) throw new ServiceUnavailable(`${databaseId} in ${region} is being made`);
        onAct('promote', process, server);
        settings.promote(server);
      });
    },
    prepareSwap: (request) => ask('replicas.prepareSwap', request.region, () => settings.exchanges.prepare(request)),
    swapIn: (request) => {
      settings.onAsk('swap-in', process);
      return ask('replicas.swapIn', request.region, () => settings.exchanges.swapIn(request));
    },
    rebuild: () => neverCalled('replicas.rebuild'),
    createRehearsal: () => neverCalled('replicas.createRehearsal'),
    promoteRehearsal: () => neverCalled('replicas.promoteRehearsal'),
  };

  /** Knows the statements of the canary, and no other. */
  const sqlServers: SqlServers = {
    live: async (databaseId, region) => ({
      connect: () =>
        ask('sql.connect', region, () => {
          const server = answering(databaseId, region);
          return {
            query: (text) => ask('sql.query', region, () => canaryStatement(server, text, settings.databaseNames(databaseId))),
            close: async () => {},
          };
        }),
    }),
    restored: () => neverCalled('sqlServers.restored'),
  };
  return { fences, replicas, sqlServers };
}

function canaryStatement(server: DatabaseServer, text: string, databaseNames: readonly string[]) {
  if (!server.isUp) throw new ServiceUnavailable('the connection is gone');
  if (text.includes('pg_database')) return databaseNames.map((datname) => ({ datname }));
  if (text.includes('to_regclass')) return [{ installed: 't', present: 't' }];
  if (text.includes('update codeblue.identity')) {
    if (server.role === 'replica') throw new SqlFailed('25006', 'cannot execute UPDATE in a read-only transaction');
    if (!server.isOpen) throw new SqlFailed('25006', 'the lease is over');
    const writtenMicros = server.showClock();
    const seq = server.newest.canary.seq + 1;
    server.append({ canary: { seq, writtenMicros } });
    return [{ seq: String(seq), written: String(writtenMicros / 1_000_000) }];
  }
  throw new RangeError(`the simulated server does not know the statement: ${text.slice(0, 60)}`);
}

/** The failover protocol has no business with it: a run that calls it fails. */
async function neverCalled(name: string): Promise<never> {
  throw new RangeError(`${name} is not simulated`);
}
