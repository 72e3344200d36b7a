import { canonicalText } from '../../common/canonical-json.ts';
import { type Timestamp, timestamp } from '../../common/ids.ts';
import { type Commitment, type CoordinationRecord, Epoch, type FailoverPlan } from '../models.ts';

/**
 * The transitions of the coordination record, and there are no others:
 *
 *     active(e, from) --claim--> claimed(e+1, to) --commitPromotion--> promoting(e+1, to) --activate--> active(e+1, to)
 *                                     |                                                            |
 *                                     |                                                            +--finish--> told and recorded
 *                                     +--rollBack--> active(e+2, from)
 *
 * Each takes the record as it was read and says what to write over exactly that version (`Coordination.replace`). Epochs only rise, an
 * epoch never has two holders, and `promoting` leads nowhere but to `active` of its own epoch: what the proof in ADR 6 rests on. A plan to replace a damaged
 * database takes the same way with `from` and `to` the same: its new epoch belongs to the copy that takes the name.
 */
export type Transition =
  /** Write this; its `version` is still the one that was read. */
  | { readonly kind: 'write'; readonly record: CoordinationRecord }
  /** This very plan is there already: a step that runs again goes on. */
  | { readonly kind: 'already' }
  | { readonly kind: 'refused'; readonly because: string };

const write = (record: CoordinationRecord): Transition => ({ kind: 'write', record });
const already: Transition = { kind: 'already' };
const refused = (because: string): Transition => ({ kind: 'refused', because });

/** Raises the epoch for `plan`: from here on nobody may renew, and the old lease runs out. `holder` is the Region that the epoch is for. */
export function claim(record: CoordinationRecord, plan: FailoverPlan): Transition {
  if (record.phase !== 'active') {
    return isFor(record, plan) ? already : refused(`${standing(record)}; a plan for epoch ${plan.epoch} cannot claim it`);
  }
  if (plan.epoch !== record.epoch + 1) return refused(`${standing(record)}; the plan is for epoch ${plan.epoch}`);
  if (plan.from !== record.holder) return refused(`${standing(record)}; the plan takes it from ${plan.from}`);
  const stays = plan.to === plan.from;
  if (stays !== (plan.kind === 'replace'))
    return refused(`the plan to ${plan.kind} moves from ${plan.from} to ${stays ? 'itself' : plan.to}`);
  if ((plan.kind === 'replace') !== (plan.replacement !== undefined))
    return refused(`the plan to ${plan.kind} does not fit what it replaces`);
  // What the change before left to be told and recorded is not done any more: there is a later one.
  const { committed: _, ...rest } = record;
  return write({ ...rest, epoch: plan.epoch, holder: plan.to, phase: 'claimed', plan });
}

/** The point of no return: promotion may begin once this is durable, and never before. With it goes what whoever takes over could not find out any more. */
export function commitPromotion(record: CoordinationRecord, commitment: Commitment): Transition {
  const { plan } = commitment;
  if (!isFor(record, plan)) return refused(`${standing(record)}; the plan for epoch ${plan.epoch} does not hold the claim`);
  return record.phase === 'claimed' ? write({ ...record, phase: 'promoting', committed: commitment }) : already;
}

/** What the new holder's first renewal brings. */
export interface FirstLease {
  readonly leaseUntil: Timestamp;
  /** Whether every application table of the new primary is fenced. */
  readonly fenced: boolean;
}

/** The new primary is up: its Region leads from here on, and its guardians may renew. `now` starts the cool-down. */
export function activate(record: CoordinationRecord, plan: FailoverPlan, lease: FirstLease, now: Date): Transition {
  if (record.phase === 'active' && record.epoch === plan.epoch && record.holder === plan.to) return already;
  if (!isFor(record, plan)) return refused(`${standing(record)}; the plan for epoch ${plan.epoch} does not hold the claim`);
  if (record.phase !== 'promoting') return refused(`${standing(record)}; it was never committed to`);
  const { plan: _, ...rest } = record;
  return write({ ...rest, ...lease, phase: 'active', primarySince: plan.epoch, changedAt: timestamp(now) });
}

/** Everything after the opening is done as well: told and recorded. Nobody takes the change over from here on. */
export function finish(record: CoordinationRecord, plan: FailoverPlan): Transition {
  if (record.phase !== 'active' || record.committed?.plan.epoch !== plan.epoch) return already;
  const { committed: _, ...rest } = record;
  return write(rest);
}

/**
 * Gives the lease back to the old primary, in an epoch of its own: leases and approvals of the one that failed are worth nothing in it. The
 * cool-down starts too, or observers who still see the same trouble would ask the same question again within seconds.
 */
export function rollBack(record: CoordinationRecord, plan: FailoverPlan, now: Date): Transition {
  if (record.phase === 'active' && record.epoch === plan.epoch + 1 && record.holder === plan.from) return already;
  if (!isFor(record, plan)) return refused(`${standing(record)}; the plan for epoch ${plan.epoch} does not hold the claim`);
  if (record.phase !== 'claimed') return refused(`${standing(record)}: the point of no return is passed`);
  const { plan: _, ...rest } = record;
  return write({ ...rest, epoch: Epoch.parse(plan.epoch + 1), holder: plan.from, phase: 'active', changedAt: timestamp(now) });
}

/** Whether the record is claimed by, or being promoted for, exactly this plan: the epoch alone could be another claimant's. */
export function isFor(record: CoordinationRecord, plan: FailoverPlan): boolean {
  if (record.phase === 'active' || record.epoch !== plan.epoch || record.plan === undefined) return false;
  return canonicalText(record.plan) === canonicalText(plan);
}

/** `epoch 4 is promoting for us-west-2`, for refusals. */
const standing = ({ epoch, holder, phase }: CoordinationRecord): string =>
  phase === 'active' ? `epoch ${epoch} is held by ${holder}` : `epoch ${epoch} is ${phase} for ${holder}`;
