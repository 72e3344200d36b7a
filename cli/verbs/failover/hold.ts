import { audited } from '../../../functions/audit/audited.ts';
import { after, type Duration, days, hours } from '../../../functions/common/duration.ts';
import { InvalidInput } from '../../../functions/common/errors.ts';
import { timestamp } from '../../../functions/common/ids.ts';
import type { CoordinationRecord, Hold } from '../../../functions/failover/models.ts';
import type { Session } from '../../session.ts';

export const failoverHoldPorts = ['auditLog', 'coordination'] as const;
type HoldSession = Session<(typeof failoverHoldPorts)[number]>;

/** A hold that nobody takes away must not outlive the work it is for. */
const longest = days(7);
/** Time for people to look, after a change was stopped. */
const afterAbort: Duration = hours(1);

/** Nothing moves until then, and what is not beyond the point of no return is given back. @throws InvalidInput */
export async function putHold(
  session: HoldSession,
  wanted: { readonly until: string; readonly reason: string; readonly by: string },
): Promise<Hold> {
  const now = session.clock.now();
  const until = new Date(wanted.until);
  if (!/(Z|[+-]\d\d:\d\d)$/.test(wanted.until) || Number.isNaN(until.getTime())) {
    throw new InvalidInput(`"${wanted.until}" is no time with its zone`, {
      hint: 'Write it as 2026-11-21T07:30:00Z or with an offset such as -05:00.',
    });
  }
  if (until <= now) throw new InvalidInput(`${wanted.until} has passed`, { hint: 'Name a time to come.' });
  if (until > after(now, longest))
    throw new InvalidInput(`a hold until ${wanted.until} is longer than 7 days`, { hint: 'Hold for less, and again when it is needed.' });
  return store(session, { until: timestamp(until), reason: wanted.reason, by: wanted.by, at: timestamp(now) }, 'hold-failover');
}

/** Undefined when there was none. */
export async function releaseHold({ ports, clock, region }: HoldSession, by: string): Promise<Hold | undefined> {
  const hold = await ports.coordination.hold();
  if (hold) {
    const act = { actor: `cli/${by}`, action: 'release-failover', resource: 'hold', details: { until: hold.until, heldBy: hold.by } };
    await audited({ auditLog: ports.auditLog, clock, region }, act, () => ports.coordination.putHold(undefined));
  }
  return hold;
}

/**
 * Stops the change that is under way, by a hold of an hour: the machine looks for one before the point of no return, and gives the lease back.
 *
 * @throws InvalidInput when there is nothing to stop, or when it is too late
 */
export async function abortFailover(
  session: HoldSession,
  { reason, by }: { readonly reason: string; readonly by: string },
): Promise<{ readonly hold: Hold; readonly record: CoordinationRecord }> {
  const record = await session.ports.coordination.read();
  if (!record) throw new InvalidInput('no guardian has ever renewed a lease: nothing is under way', { hint: 'codeblue failover status' });
  if (record.phase === 'promoting') {
    throw new InvalidInput(`epoch ${record.epoch} is beyond the point of no return: ${record.holder} is being promoted`, {
      hint: 'It must be carried to its end. Then go back without loss: codeblue failover back',
    });
  }
  const now = session.clock.now();
  const hold = { until: timestamp(after(now, afterAbort)), reason, by, at: timestamp(now) };
  return { hold: await store(session, hold, 'abort-failover'), record };
}

async function store({ ports, clock, region }: HoldSession, hold: Hold, action: string): Promise<Hold> {
  const act = { actor: `cli/${hold.by}`, action, resource: 'hold', details: { until: hold.until, reason: hold.reason } };
  await audited({ auditLog: ports.auditLog, clock, region }, act, () => ports.coordination.putHold(hold));
  return hold;
}
