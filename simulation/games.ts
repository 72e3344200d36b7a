import { auditBreakageNamed, auditBreakages } from './audit/audit-breakages.ts';
import { AuditSimulator } from './audit/audit-simulator.ts';
import { describeAuditEnd, describeAuditScenario } from './audit/audit-timeline.ts';
import { breakageNamed, breakages } from './breakages.ts';
import { Simulator } from './simulator.ts';
import { describeEnd, describeScenario } from './timeline.ts';
import type { Micros } from './virtual-time.ts';

/** What is simulated: changes of leadership (P1 to P7), or one Region's audit log (P8). */
export const gameNames = ['failover', 'audit'] as const;
export type GameName = (typeof gameNames)[number];

/** One run, as the command line tells of it. */
export interface Played {
  readonly violations: readonly { readonly promise: string; readonly at: Micros; readonly says: string }[];
  readonly title: string;
  /** Of the simulation. */
  readonly events: number;
  /** Changes of leadership, or checkpoints published. */
  readonly moves: number;
  /** What the seed has in store, and how it ended, for people. */
  readonly beginning: readonly string[];
  readonly end: readonly string[];
}

type Player = (seed: number, trace?: (at: Micros, who: string, what: string) => void) => Promise<Played>;

/** In the game's words. */
export const movesOf = (game: GameName): string => (game === 'audit' ? 'checkpoints published' : 'changes of leadership');

export const breakagesOf = (game: GameName): readonly { readonly name: string; readonly says: string }[] =>
  game === 'audit' ? auditBreakages : breakages;

/** @throws InvalidInput naming those that exist */
export const breakageIn = (game: GameName, name: string): { readonly says: string } =>
  game === 'audit' ? auditBreakageNamed(name) : breakageNamed(name);

/**
 * @param document the synthesized machine `failover`; the audit log has none
 * @throws InvalidInput for a breakage that there is not, naming those that exist
 */
export function playerOf(
  game: GameName,
  { document, breakage }: { readonly document: unknown; readonly breakage?: string | undefined },
): Player {
  if (game === 'audit') {
    const simulator = new AuditSimulator(breakage === undefined ? {} : auditBreakageNamed(breakage).flaws);
    return async (seed, trace) => {
      const play = await simulator.run(seed, trace);
      const { scenario, violations, events, publications: moves } = play;
      const told = { beginning: describeAuditScenario(seed, scenario), end: describeAuditEnd(play) };
      return { violations, title: scenario.title, events, moves, ...told };
    };
  }
  const simulator = new Simulator(document, breakage === undefined ? {} : breakageNamed(breakage).flaws);
  return async (seed, trace) => {
    const play = await simulator.run(seed, trace);
    const { scenario, violations, events, moves } = play;
    return { violations, title: scenario.title, events, moves, beginning: describeScenario(seed, scenario), end: describeEnd(play) };
  };
}
