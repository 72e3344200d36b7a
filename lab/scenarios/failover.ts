import { restoreProtection } from '../failover/old-primary.ts';
import { readJournal } from '../hospital/journal.ts';
import { drill } from './drill.ts';
import { auditTrail } from './failover/audit-trail.ts';
import { breach } from './failover/breach.ts';
import { corruption } from './failover/corruption.ts';
import { crashEverywhere } from './failover/crashes.ts';
import { cutOff } from './failover/cut-off.ts';
import { failBack } from './failover/fail-back.ts';
import { killsInARow, type Outcome, winnersKeepAll } from './failover/kills.ts';
import { backUpThere, loseRegion } from './failover/lose-region.ts';
import { deadGuardian, flappingObserver, observerLost, witnessLost } from './failover/nothing-moves.ts';
import { oldPrimaryReturns } from './failover/old-primary-returns.ts';
import { slowReplica } from './failover/slow-replica.ts';
import type { FailoverStage } from './failover/stage.ts';
import { switchOver } from './failover/switch-over.ts';

type Part = (stage: FailoverStage) => Promise<readonly Outcome[]>;

const nothingMoved =
  (part: (stage: FailoverStage) => Promise<void>): Part =>
  async (stage) => {
    await part(stage);
    return [];
  };

/** After a change the region that lost the lead is a standby again. */
async function protect(stage: FailoverStage): Promise<void> {
  watch(stage);
  await stage.phases.run('Make the old primary a standby of the new one', () => restoreProtection(stage.world));
}

/** The parts of the story, in its order. */
const parts = {
  kill: async (stage) => {
    const move = await loseRegion(stage);
    await backUpThere(stage);
    await oldPrimaryReturns(stage, move);
    await protect(stage);
    return [move];
  },
  corruption: async (stage) => {
    const replaced = await corruption(stage);
    // A change to the standby loses nothing: it follows what took the damaged database's place.
    watch(stage);
    const move = await switchOver(stage, 'corruption');
    await protect(stage);
    return [replaced, move];
  },
  breach: nothingMoved(breach),
  switchover: async (stage) => {
    const move = await switchOver(stage);
    await protect(stage);
    return [move];
  },
  drill: nothingMoved(drill),
  flap: nothingMoved(flappingObserver),
  observer: nothingMoved(observerLost),
  guardian: nothingMoved(deadGuardian),
  witness: nothingMoved(witnessLost),
  partition: async (stage) => {
    const move = await cutOff(stage);
    await oldPrimaryReturns(stage, move, 'partition');
    const back = await failBack(stage, move);
    await protect(stage);
    return [move, back];
  },
  slow: async (stage) => {
    const move = await slowReplica(stage);
    await stage.world.revive(move.from);
    await protect(stage);
    return [move];
  },
  crash: async (stage) => {
    const move = await crashEverywhere(stage);
    await stage.world.revive(move.from);
    await protect(stage);
    return [move];
  },
} as const satisfies Record<string, Part>;

export type FailoverPart = keyof typeof parts;
export const failoverParts: readonly string[] = Object.keys(parts);
export const isFailoverPart = (name: string): name is FailoverPart => Object.hasOwn(parts, name);

/** Leadership moves, and does not, in every way that the lab knows; or only those that are named. */
export async function failoverScenario(stage: FailoverStage, only: readonly FailoverPart[] | undefined): Promise<void> {
  const moves: Outcome[] = [];
  for (const name of Object.keys(parts).filter(isFailoverPart)) {
    if (only !== undefined && !only.includes(name)) continue;
    watch(stage);
    moves.push(...(await parts[name](stage)));
  }
  await judgeAll(stage, moves);
}

/** So many kills in a row. */
export async function killsScenario(stage: FailoverStage, count: number, seed: number): Promise<void> {
  watch(stage);
  const kills = await killsInARow(count, seed)(stage);
  await judgeAll(
    stage,
    kills.map(({ move }) => move),
  );
}

async function judgeAll(stage: FailoverStage, moves: readonly Outcome[]): Promise<void> {
  await winnersKeepAll(stage, moves, ({ regions }) => readJournal(regions.address(regions.primary, 'admin')));
  await auditTrail(stage);
}

/** The timeline hears of the states of the failover machine and of what people are told. */
function watch({ world, timeline }: FailoverStage): void {
  world.lab.watchState = (state, { machine }) => {
    if (machine === 'failover') timeline.note(state);
  };
  world.lab.onNotice = ({ subject }) => timeline.note(`told people: ${subject}`);
}
