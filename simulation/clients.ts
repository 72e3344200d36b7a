import type { DatabaseServer } from './database-server.ts';
import { toMicros } from './virtual-time.ts';
import type { World } from './world.ts';

/** What the clients of one database saw. */
export interface ClientView {
  /** Statements that the server refused to the clients of the Region that leads. */
  refused: number;
}

/** Every server has clients beside it that never stop trying: a partition does not keep them from a primary that is cut off. */
export function startClients(world: World): ClientView {
  const random = world.random.fork('clients');
  const view = { refused: 0 };
  const { scenario, time } = world;
  const finish = (server: DatabaseServer, transaction: NonNullable<ReturnType<DatabaseServer['begin']>>) => {
    server.commit(transaction, random.int(1000, scenario.commitTakes), world.operations.canary.interval);
  };
  const tick = () => {
    for (const server of world.servers) {
      const transaction = server.begin();
      if (transaction) {
        const lasts = random.chance(scenario.longTransactions) ? random.between(1, 40) : random.between(0.005, 0.2);
        time.after(toMicros(lasts), () => finish(server, transaction));
      } else if (server.region === world.table.record?.holder && server.role === 'primary' && server.isUp) view.refused++;
    }
    time.after(random.int(300_000, 1_100_000), tick);
  };
  time.after(random.int(0, 500_000), tick);
  return view;
}
