import { type Act, audited } from '../../../audit/audited.ts';
import type { Ports } from '../../../common/ports.ts';
import type { TaskContext } from '../../../common/task.ts';
import { FailoverRefused } from '../../errors.ts';
import { type Standing, standingOf } from '../../leadership/standing.ts';
import type { FailoverRecord, FailoverStatus } from '../../models.ts';

export type StepContext = Pick<Ports, 'auditLog'> & TaskContext;

/** The record with what a step found and why. */
export const found = (record: FailoverRecord, status: FailoverStatus, says: string): FailoverRecord => ({
  ...record,
  status,
  says: says.slice(0, 1000),
});

/** Carries out one act of the failover between two audit events (P4), under the epoch that it is for. */
export function act<T>(
  context: StepContext,
  { plan }: FailoverRecord,
  { action, resource, details = {} }: Pick<Act, 'action' | 'resource' | 'details'>,
  perform: () => Promise<T>,
): Promise<T> {
  const facts = { epoch: plan.epoch, from: plan.from, to: plan.to, kind: plan.kind, requestedBy: plan.requestedBy };
  return audited(context, { actor: 'machine/failover', action, resource, details: { ...facts, ...details } }, perform);
}

/** How far the plan came, by a strongly consistent read of this moment. */
export async function freshStanding(coordination: Ports['coordination'], { plan }: FailoverRecord): Promise<Standing> {
  return standingOf(await coordination.read(), plan);
}

/** A step that wakes up after its epoch stops here: it may change nothing any more. */
export const pastItsEpoch = (record: FailoverRecord, standing: Standing): FailoverRecord =>
  found(record, 'lost', `epoch ${record.plan.epoch} is not this plan's any more (${standing}); nothing more is done`);

/** What `perform` gives, or `undefined` when the coordination record refused. */
export async function unlessRefused<T>(perform: () => Promise<T>): Promise<T | FailoverRefused> {
  try {
    return await perform();
  } catch (error) {
    if (error instanceof FailoverRefused) return error;
    throw error;
  }
}

/** Something went wrong that does not stop the failover: people must know. A step that runs again does not say it twice. */
export function withShortfall(record: FailoverRecord, says: string): FailoverRecord {
  const shortfall = says.slice(0, 500);
  return record.shortfalls.includes(shortfall) ? record : { ...record, shortfalls: [...record.shortfalls, shortfall] };
}
