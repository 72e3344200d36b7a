import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Clients, Router } from './clients.ts';
import { until } from './command.ts';
import { PatroniCluster, type Rival } from './patroni-cluster.ts';
import type { PatroniTimes } from './patroni-config.ts';
import type { Contender, DoubleWriting, KillResult } from './results.ts';
import type { Template } from './template.ts';

/** Longest that a failover may take before the play counts as failed: four times Patroni's default lock. */
const PATIENCE_MS = 120_000;
/** How long both sides are watched after the new primary's first write. */
const OBSERVE_MS = 10_000;
/** Writes before anything is broken. */
const WARM_WRITES = 100;
/** Spreads the moments of the plays evenly over Patroni's loop, however many there are. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Patroni on etcd, with one set of times. */
export function patroni(name: string, times: PatroniTimes, rival: Rival, template: Template, dir: string): Contender {
  const play = async <T>(round: number, act: (cluster: PatroniCluster) => Promise<T>): Promise<T> => {
    const cluster = await PatroniCluster.start(rival, template, times, mkdtempSync(join(dir, 'patroni-')));
    try {
      // The lost region holds etcd's leader in one play of three, as chance would have it.
      await cluster.placeEtcdLeader(round % 3 === 0 ? cluster.primary : (cluster.others[0] ?? cluster.primary));
      return await act(cluster);
    } finally {
      await cluster.stop();
    }
  };
  const moment = (round: number): Promise<void> => wait(times.loopWait * 1000 * (1 + ((round * GOLDEN) % 1)));
  return {
    name,
    settings: `ttl ${times.ttl} s, loop_wait ${times.loopWait} s, retry_timeout ${times.retryTimeout} s`,
    kill: (round) => play(round, (cluster) => kill(cluster, round, () => moment(round))),
    partition: (round) =>
      play(round, (cluster) =>
        doubleWriting(
          cluster,
          round,
          () => moment(round),
          () => cluster.primary.cutOff(),
        ),
      ),
    agent: (round) =>
      play(round, (cluster) =>
        doubleWriting(
          cluster,
          round,
          () => moment(round),
          async () => cluster.killAgent(cluster.primary),
        ),
      ),
  };
}

async function kill(cluster: PatroniCluster, seed: number, moment: () => Promise<void>): Promise<KillResult> {
  const { primary } = cluster;
  const router = new Router(cluster.sites);
  const clients = new Clients(() => cluster.address(router.current ?? primary), seed);
  try {
    await until('writing before the kill', () => clients.acknowledgements.length >= WARM_WRITES || undefined);
    await moment();
    const killedAtMs = performance.now();
    primary.loseRegion();
    const first = await until('a write on the new primary', () => clients.firstFrom((host) => host !== primary.clientHost), PATIENCE_MS);
    return { outageMs: first.atMs - killedAtMs };
  } finally {
    await clients.stop();
    await router.stop();
  }
}

/** Clients beside the old primary stay with it; clients elsewhere go where the other regions say that the primary is. */
async function doubleWriting(
  cluster: PatroniCluster,
  seed: number,
  moment: () => Promise<void>,
  breakIt: () => Promise<void>,
): Promise<DoubleWriting> {
  const { primary } = cluster;
  const elsewhere = new Router(cluster.others);
  const beside = new Clients(() => cluster.address(primary), seed);
  let beyond: Clients | undefined;
  try {
    await until('writing before the cut', () => beside.acknowledgements.length >= WARM_WRITES || undefined);
    await moment();
    const brokenAtMs = performance.now();
    await breakIt();
    const site = await until('a new primary', () => elsewhere.current, PATIENCE_MS);
    beyond = new Clients(() => cluster.address(elsewhere.current ?? site), seed + 1);
    const { acknowledgements } = beyond;
    const first = await until('a write on the new primary', () => acknowledgements[0], PATIENCE_MS);
    await wait(OBSERVE_MS);
    const last = beside.acknowledgements.at(-1);
    if (!last) throw new Error('the old primary acknowledged nothing');
    return {
      windowMs: last.atMs - first.atMs,
      loserWrites: beside.acknowledgements.filter(({ atMs }) => atMs > first.atMs).length,
      stillWriting: performance.now() - last.atMs < 1_000,
      outageMs: first.atMs - brokenAtMs,
    };
  } finally {
    await Promise.all([beside.stop(), beyond?.stop()]);
    await elsewhere.stop();
  }
}
