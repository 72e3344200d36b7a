import { z } from 'zod';
import type { Clock } from '../common/clock.ts';
import { CodeblueError, messageOf } from '../common/errors.ts';
import { type Region, timestamp } from '../common/ids.ts';
import type { Logger } from '../common/logger.ts';
import type { Operations } from '../common/operations.ts';
import { parseAs } from '../common/parse.ts';
import { type Ports, portsFor } from '../common/ports.ts';
import type { AnyStep, AnyTask, TaskContext } from '../common/task.ts';
import { isActive } from '../failover/lease/active-region.ts';
import { ledgerKey } from '../maintenance/ledger-key.ts';
import { metricNames } from '../maintenance/metric-names.ts';

/** What a host (Lambda, lab, test) gives to everything that it runs. */
export interface Host {
  readonly ports: Partial<Ports>;
  readonly operations: Operations;
  readonly region: Region;
  readonly clock: Clock;
  readonly log: Logger;
  readonly codeSha256: string;
}

/** What a schedule, the CLI or `run-missed-tasks` sends to a task. */
const TaskEvent = z.strictObject({
  /** Which of the task's schedules; empty when it has one. */
  key: z.string().default(''),
  /** ISO 8601; EventBridge Scheduler fills in the time that the run was due. */
  scheduledAt: z.iso.datetime().transform((text) => new Date(text)),
  input: z.unknown().default({}),
});

/**
 * Runs one occurrence of a scheduled task: claims it in the ledger, runs it, writes down how it ended. An occurrence that
 * succeeded or is running is skipped, so schedules, retries and people may all trigger it.
 *
 * @throws InvalidInput for an event or input of the wrong shape; whatever the task throws, after the ledger has it where it can be
 *   written; ServiceUnavailable when a success cannot be written down, or when nobody can tell whether this Region is the active one
 */
export async function runTask(
  task: AnyTask,
  event: unknown,
  host: Host,
  deadline: Date,
): Promise<{ readonly ran: boolean; readonly result?: unknown }> {
  const { key, scheduledAt, input } = parseAs(TaskEvent, event, `the event of task ${task.name}`);
  const { region, clock, log } = host;
  const ports = portsFor([], host.ports);
  const report = (succeeded: boolean) =>
    ports.metrics.put({
      capability: 'maintenance',
      name: metricNames.maintenance.taskSucceeded,
      value: Number(succeeded),
      unit: 'Count',
      dimensions: { Task: task.name },
    });
  if (task.runsIn === 'active' && !(await isActive({ ...host, ...portsFor(['coordination:read'], host.ports) }))) {
    // It would run here if this Region led: the alarm on silence watches that in every Region that can lead.
    await report(true);
    return { ran: false };
  }
  const run = { task: task.name, key: ledgerKey(task, key, region), scheduledAt: timestamp(scheduledAt) };
  if (!(await ports.ledger.claim(run, clock.now(), task.timeout))) {
    log.info('skipped: this occurrence has run or is running', run);
    return { ran: false };
  }
  let result: unknown;
  try {
    result = await task.execute(input, host.ports, contextOf(host, scheduledAt, deadline));
  } catch (error) {
    log.error('task failed', { ...run, error: messageOf(error), name: error instanceof Error ? error.name : 'unknown' });
    try {
      await ports.ledger.finish(run, clock.now(), messageOf(error).slice(0, 1000));
      await report(false);
    } catch (unrecorded) {
      // The task's own error is the one to show; the claim grows stale, and the occurrence is run again then.
      log.error('the failure could not be recorded', { ...run, error: messageOf(unrecorded) });
    }
    throw error;
  }
  await ports.ledger.finish(run, clock.now());
  await report(true);
  log.info('task succeeded', run);
  return { ran: true, result };
}

/** Runs one step of a state machine: the record in, the record out. @throws InvalidInput; whatever the step throws */
export async function runStep(step: AnyStep, record: unknown, host: Host, deadline: Date): Promise<unknown> {
  try {
    return await step.execute(record, host.ports, contextOf(host, host.clock.now(), deadline));
  } catch (error) {
    host.log.error('step failed', {
      step: step.name,
      error: messageOf(error),
      hint: error instanceof CodeblueError ? error.hint : undefined,
    });
    throw error;
  }
}

/** What a run is given besides its ports. */
export const contextOf = ({ operations, region, clock, log, codeSha256 }: Host, scheduledAt: Date, deadline: Date): TaskContext => ({
  operations,
  region,
  clock,
  log,
  codeSha256,
  scheduledAt,
  deadline,
});
