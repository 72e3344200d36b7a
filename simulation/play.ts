import type { Operations } from '../functions/common/operations.ts';
import { startClients } from './clients.ts';
import { Silenced, scheduleFaults } from './faults.ts';
import type { Flaws } from './flaws.ts';
import type { Definition } from './machine/definition.ts';
import type { Violation } from './monitor.ts';
import { startPeople } from './people.ts';
import type { Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import { startSchedules } from './schedules.ts';
import { isAtRest, judgeEnd } from './verdict.ts';
import { type Micros, toMicros } from './virtual-time.ts';
import { World } from './world.ts';

/** After the last fault everything must come to rest within this: services that do not come up are waited for a quarter of an hour, and a rolled-back failover begins anew after the cool-down. */
const restLimit = toMicros(1500);
/** Where clocks are too far apart for votes to count, only what must not happen is looked for. */
const insaneLimit = toMicros(120);

export interface Play {
  readonly scenario: Scenario;
  readonly violations: readonly Violation[];
  readonly endedAt: Micros;
  readonly events: number;
  readonly commits: number;
  /** Epochs that were claimed. */
  readonly moves: number;
  /** Epoch and holder at the end. */
  readonly end: string;
  /** Who leads in the end, and which databases were replaced: what crashes must not change. */
  readonly where: string;
}

export interface PlaySettings {
  readonly scenario: Scenario;
  readonly random: Random;
  readonly operations: Operations;
  readonly definition: Definition;
  readonly flaws: Flaws;
  readonly trace?: ((at: Micros, who: string, what: string) => void) | undefined;
}

/** Plays one run to its end and judges it. */
export async function play(settings: PlaySettings): Promise<Play> {
  const { scenario } = settings;
  const world = new World(settings);
  const silenced = new Silenced();
  scheduleFaults(world, silenced);
  startSchedules(world, silenced);
  startPeople(world);
  const clients = startClients(world);
  const { time, monitor } = world;
  const lastsUntil = scenario.quietFrom + (scenario.expects.saneClocks ? restLimit : insaneLimit);
  await time.run(() => monitor.violations.length > 0 || isAtRest(world) || time.now > lastsUntil);
  judgeEnd(world, clients);
  const { record } = world.table;
  return {
    scenario,
    violations: monitor.violations,
    endedAt: time.now,
    events: time.count,
    commits: monitor.commits,
    moves: monitor.claims,
    where: [record?.holder ?? 'nobody', ...monitor.exchanges.map(({ copy }) => `${copy.databaseId} replaced`).sort()].join(', '),
    end: `${record?.phase ?? 'no record'} for ${record?.holder ?? 'nobody'} in epoch ${record?.epoch ?? 0}`,
  };
}
