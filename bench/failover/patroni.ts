import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { PatroniCluster, type Rival } from './patroni-cluster.ts';
import type { PatroniTimes } from './patroni-config.ts';
import type { Contender } from './system.ts';
import type { Template } from './template.ts';

/** What every Patroni of one run shares. */
export interface Ring {
  readonly rival: Rival;
  readonly template: Template;
  /** For everything that a play writes. */
  readonly dir: string;
}

/** Patroni on etcd, with one set of times. @param atMost  objective: what Codeblue's outage may be of this one's */
export function patroni(name: string, times: PatroniTimes, atMost: number, { rival, template, dir }: Ring): Contender {
  return {
    name,
    atMost,
    settings: `ttl ${times.ttl} s, loop_wait ${times.loopWait} s, retry_timeout ${times.retryTimeout} s`,
    cycleSeconds: times.loopWait,
    async start(round) {
      const cluster = await PatroniCluster.start(rival, template, times, mkdtempSync(join(dir, 'patroni-')));
      // The lost region holds etcd's leader in one play of three, as chance would have it.
      await cluster.placeEtcdLeader(round % 3 === 2);
      return cluster;
    },
  };
}
