import type { Operations } from '../functions/common/operations.ts';
import { drawScenario } from './draw-scenario.ts';
import type { Flaws } from './flaws.ts';
import { type Definition, parseDefinition } from './machine/definition.ts';
import { type PolicyVariant, simulatedOperations } from './operations.ts';
import { type Play, type PlaySettings, play } from './play.ts';
import { seededRandom } from './random.ts';
import type { Scenario } from './scenario.ts';

/** Plays seeds: the same seed is the same run, on any machine. */
export class Simulator {
  readonly #definition: Definition;
  readonly #flaws: Flaws;
  readonly #operations = new Map<string, Operations>();

  /** @param document the synthesized machine `failover` */
  constructor(document: unknown, flaws: Flaws = {}) {
    const definition = parseDefinition(document);
    this.#definition = flaws.definition?.(definition) ?? definition;
    this.#flaws = flaws;
  }

  /** Plays a seed; and where nothing but crashes of steps may make a difference, once more without them (P3). */
  async run(seed: number, trace?: PlaySettings['trace']): Promise<Play> {
    const played = await this.#play(seed, (scenario) => scenario, trace);
    if (played.violations.length > 0 || !played.scenario.expects.sameWithoutCrashes) return played;
    const twin = await this.#play(seed, (scenario) => ({ ...scenario, interruptions: [] }));
    if (twin.violations.length > 0 || twin.where === played.where) return played;
    const says = `it ended with ${played.where}, and without the crashes with ${twin.where}`;
    return { ...played, violations: [{ promise: 'P3', at: played.endedAt, says }] };
  }

  #play(seed: number, changed: (scenario: Scenario) => Scenario, trace?: PlaySettings['trace']): Promise<Play> {
    const random = seededRandom(`codeblue ${seed}`);
    const scenario = changed(drawScenario(random.fork('scenario')));
    return play({
      scenario,
      random: random.fork('run'),
      operations: this.#operationsFor(scenario.policy),
      definition: this.#definition,
      flaws: this.#flaws,
      trace,
    });
  }

  #operationsFor(policy: PolicyVariant): Operations {
    const key = `${policy.mode} ${policy.budgetSeconds} ${policy.databases}`;
    const known = this.#operations.get(key);
    if (known) return known;
    const made = simulatedOperations(policy);
    this.#operations.set(key, made);
    return made;
  }
}
