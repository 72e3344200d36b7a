import { randomInt } from 'node:crypto';
import type { Clock } from '../../common/clock.ts';
import { Conflict } from '../../common/errors.ts';
import type { PortsFor } from '../../common/ports.ts';
import type { TaskContext } from '../../common/task.ts';
import { chase } from '../incident/chase.ts';
import { isOver } from '../is-over.ts';
import type { Incident } from '../models.ts';
import { startRunbooks } from '../runbooks/start-runbooks.ts';
import type { Lines } from './timeline-lines.ts';
import type { TriagePlan } from './triage.ts';

/** What writes incidents and has people told of them. */
export const triageNeeds = ['incidents:triage', 'executions:escalate', 'runbooks:start'] as const;
export type TriageContext = PortsFor<(typeof triageNeeds)[number]> & Pick<TaskContext, 'operations' | 'region' | 'clock' | 'log'>;

/**
 * Writes what was decided. Incidents first, so that people are told at once, and what is known of the alarms last: an alarm that somebody else has written since it was read fails
 * the batch, which is decided again with what is true now; what it wrote until then is found there.
 *
 * @throws Conflict, ServiceUnavailable: nothing of the batch is recorded then, and all of it can be repeated
 */
export async function writePlan(
  { incidents: changes, alarms, touched, reasons, timeline }: Omit<TriagePlan, 'decisions'>,
  context: TriageContext,
): Promise<void> {
  const { incidents } = context;
  const append = (lines: Lines) => allOf(lines.map(({ incidentId, entries }) => incidents.append(incidentId, entries)));
  await append(reasons);
  // One after another: each of a group's takes the place of the one before.
  for (const change of changes) if (change.kind === 'create') await incidents.create(change.incident, change.previous);
  await allOf(changes.filter(({ kind }) => kind === 'update').map(({ incident }) => incidents.update(incident)));
  await escalate(touched, context);
  await startRunbooks(touched, context);
  await append(timeline);
  await allOf(alarms.map((alarm) => incidents.putAlarm(alarm)));
}

/**
 * Has people told of these incidents. Asked again for each that a batch touches, however little it changed: the one that opened it may have been cut off before it came so far.
 * Starting a generation's execution twice is no error, and it finds out by itself whether anything is due.
 */
export async function escalate(touched: readonly Incident[], { executions }: Pick<TriageContext, 'executions'>): Promise<void> {
  const worstFirst = touched.filter((incident) => !isOver(incident)).sort((a, b) => a.severity - b.severity);
  await allOf(worstFirst.map((incident) => chase(incident, executions)));
}

/** Consumers of one queue meet on the same incident in a storm; each conflict means that another one got on. */
const attempts = 10;
const pauseMilliseconds = 40;

/** Decides and writes until nobody else has written in between. @throws Conflict when somebody always had */
export async function untilUndisturbed<T>(clock: Clock, decideAndWrite: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await decideAndWrite();
    } catch (error) {
      if (!(error instanceof Conflict) || attempt === attempts) throw error;
      await clock.sleep(randomInt(pauseMilliseconds * attempt));
    }
  }
}

/** Waits for all of them, and throws what the first one threw that failed: nothing goes on behind the back of whoever tries again. */
async function allOf(acts: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(acts)).find((act) => act.status === 'rejected');
  if (failed) throw failed.reason;
}
