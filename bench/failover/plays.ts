import { setTimeout as wait } from 'node:timers/promises';
import type { Region } from '../../functions/common/ids.ts';
import { LeaseRouter } from '../../lab/failover/lease-router.ts';
import { Acknowledgements, doubleWriterWindow } from '../../lab/hospital/acknowledgements.ts';
import { startWriter, type Writer } from '../../lab/hospital/writer.ts';
import { until } from './command.ts';
import type { Contender, System } from './system.ts';

/** One loss of the primary's region. */
export interface KillResult {
  /** From the kill to the first write that the new primary acknowledged, as the writer saw it. */
  readonly outageMs: number;
}

/** One time that the old primary was cut off while its clients still reached it. */
export interface DoubleWriting {
  /** From the first write acknowledged by the new primary to the last one acknowledged by the old. Negative: a gap, as it must be. */
  readonly windowMs: number;
  /** Writes that the old primary acknowledged after the new one's first. Each is lost, or a conflict for somebody to resolve by hand. */
  readonly loserWrites: number;
  /** The old primary still accepted writes when the observation ended, so the window is at least this long. */
  readonly stillWriting: boolean;
  /** From the cut to the first write acknowledged by the new primary. */
  readonly outageMs: number;
}

/** Longest that a failover may take before the play counts as failed: four times Patroni's default lock. */
const PATIENCE_MS = 120_000;
/** How long both sides are watched after the new primary's first write. */
const OBSERVE_MS = 10_000;
/** An old primary that acknowledged something in the last part of that time has not stopped. */
const STOPPED_MS = 1_000;
const START_ATTEMPTS = 3;
/** Writes before anything is broken. */
const WARM_WRITES = 100;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

const plays = {
  /** The region of the primary is lost. */
  kill: kill,
  /** The primary's region loses its peers and the coordination service. */
  partition: (system: System, play: Play) => doubleWriting(system, play, () => system.cutOff()),
  /** The same, and nobody is left beside the primary who could stop it. */
  alone: (system: System, play: Play) =>
    doubleWriting(system, play, async () => {
      await system.cutOff();
      await system.killAgents();
    }),
};
export type PlayName = keyof typeof plays;
export type PlayResult<Name extends PlayName> = Awaited<ReturnType<(typeof plays)[Name]>>;

interface Play {
  readonly seed: number;
  /** Resolves at the moment to break something. */
  readonly moment: () => Promise<void>;
}

/** Starts the contender, breaks it, measures, and leaves nothing behind. @param round  decides the moment; counts from 0 */
export async function playOnce<Name extends PlayName>(name: Name, contender: Contender, round: number): Promise<PlayResult<Name>>;
export async function playOnce(name: PlayName, contender: Contender, round: number): Promise<KillResult | DoubleWriting> {
  const system = await startPatiently(contender, round);
  try {
    // One cycle to settle, then a part of the next: golden fractions are spread evenly, however many there are.
    const moment = (): Promise<void> => wait(contender.cycleSeconds * 1000 * (1 + ((round * GOLDEN) % 1)));
    return await plays[name](system, { seed: round + 1, moment });
  } catch (error) {
    const says = await system.says().catch(() => 'it says nothing');
    throw new Error(`${error instanceof Error ? error.message : String(error)}; ${says}`, { cause: error });
  } finally {
    await system.stop();
  }
}

/** Starting is not what is measured: on a machine too busy for it, it gets another try. */
async function startPatiently(contender: Contender, round: number): Promise<System> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await contender.start(round);
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}

async function kill(system: System, { seed, moment }: Play): Promise<KillResult> {
  const acknowledgements = new Acknowledgements();
  const router = new LeaseRouter(system.endpoints, system.primary);
  const clients = startClients(system, acknowledgements, () => router.current, seed);
  try {
    await until('writing before the kill', () => acknowledgements.all.length >= WARM_WRITES || undefined);
    await moment();
    const killedAtMs = system.loseRegion();
    const first = await until('a write on the new primary', () => acknowledgements.first(system.standby, killedAtMs), PATIENCE_MS);
    return { outageMs: first.atMs - killedAtMs };
  } finally {
    await clients.stop();
    await router.stop();
  }
}

/** Clients beside the old primary stay with it; clients elsewhere go where the other region says that it leads. */
async function doubleWriting(system: System, { seed, moment }: Play, breakIt: () => Promise<void>): Promise<DoubleWriting> {
  const { primary, standby } = system;
  const acknowledgements = new Acknowledgements();
  const elsewhere = new LeaseRouter(
    system.endpoints.filter(({ region }) => region === standby),
    primary,
  );
  const beside = startClients(system, acknowledgements, () => primary, seed);
  let beyond: Writer | undefined;
  try {
    await until('writing before the cut', () => acknowledgements.all.length >= WARM_WRITES || undefined);
    await moment();
    const brokenAtMs = performance.now();
    await breakIt();
    await until('a new primary', () => elsewhere.current === standby || undefined, PATIENCE_MS);
    beyond = startClients(system, acknowledgements, () => standby, seed + 1_000);
    const first = await until('a write on the new primary', () => acknowledgements.first(standby, brokenAtMs), PATIENCE_MS);
    await wait(OBSERVE_MS);
    const window = doubleWriterWindow(acknowledgements.all, primary, standby, brokenAtMs);
    const last = acknowledgements.last(primary);
    if (!window || !last) throw new Error('both sides have acknowledged writes');
    return {
      windowMs: window.milliseconds,
      loserWrites: window.writes,
      stillWriting: performance.now() - last.atMs < STOPPED_MS,
      outageMs: first.atMs - brokenAtMs,
    };
  } finally {
    await Promise.all([beside.stop(), beyond?.stop()]);
    await elsewhere.stop();
  }
}

/** The hospital's writer, the same for everybody. */
function startClients(system: System, acknowledgements: Acknowledgements, region: () => Region, seed: number): Writer {
  const regionAt = new Map([system.primary, system.standby].map((each) => [keyOf(system.address(each)), each]));
  return startWriter({
    address: () => system.address(region()),
    connections: 4,
    perSecond: 200,
    seed,
    onAcknowledged: ({ id }, server) => {
      const from = regionAt.get(keyOf(server));
      if (from) acknowledgements.add(id, from);
    },
  });
}

const keyOf = ({ host, port }: { readonly host: string; readonly port: number }): string => `${host}:${port}`;
