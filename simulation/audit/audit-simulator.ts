import { seededRandom } from '../random.ts';
import type { Micros } from '../virtual-time.ts';
import { close, erase, record, sequence } from './audit-actors.ts';
import type { AuditViolation } from './audit-monitor.ts';
import { type AuditScenario, drawAuditScenario } from './audit-scenario.ts';
import { isAtRest, judgeLog } from './audit-verdict.ts';
import { type AuditFlaws, AuditWorld, type Trace } from './audit-world.ts';
import { beginWith } from './first-log.ts';

export interface AuditPlay {
  readonly scenario: AuditScenario;
  readonly violations: readonly AuditViolation[];
  readonly endedAt: Micros;
  /** Of the simulation. */
  readonly events: number;
  readonly acknowledged: number;
  readonly claims: number;
  /** Checkpoints that were published. */
  readonly publications: number;
}

/** A run that has more is one that does not end. */
const eventLimit = 400_000;

/** Plays seeds of the audit log (P8): the same seed is the same run, on any machine. */
export class AuditSimulator {
  readonly #flaws: AuditFlaws;

  constructor(flaws: AuditFlaws = {}) {
    this.#flaws = flaws;
  }

  async run(seed: number, trace?: Trace): Promise<AuditPlay> {
    const random = seededRandom(`codeblue audit ${seed}`);
    const scenario = drawAuditScenario(random.fork('scenario'));
    const world = new AuditWorld({ scenario, random: random.fork('run'), flaws: this.#flaws, trace });
    const { time, monitor } = world;
    beginWith(world, scenario.entriesBefore);
    const failures: unknown[] = [];
    const start = (at: Micros, act: () => Promise<void>) =>
      time.at(at, () => {
        act().catch((error) => failures.push(error));
        time.wake(() => {});
      });
    for (const delivery of scenario.deliveries) start(delivery.at, () => record(world, delivery));
    for (const run of scenario.sequencers) start(run.at, () => sequence(world, run));
    for (const erasure of scenario.erasures) start(erasure.at, () => erase(world, erasure));
    start(scenario.quietFrom, () => close(world, () => isAtRest(world)));
    const isOver = () => failures.length > 0 || monitor.violations.length > 0 || time.count > eventLimit;
    await time.run(isOver);
    // Whoever stood still until now has done what it was about to do: once more, for what came of that.
    start(time.now, () => close(world, () => isAtRest(world)));
    await time.run(isOver);
    if (failures.length > 0) throw failures[0];
    if (time.count > eventLimit) monitor.violated('the run does not end');
    if (monitor.violations.length === 0) judgeLog(world);
    return {
      scenario,
      violations: monitor.violations,
      endedAt: time.now,
      events: time.count,
      acknowledged: monitor.acknowledged.size,
      claims: monitor.claims,
      publications: monitor.publications,
    };
  }
}
