import { objectiveFor } from '../../backup/recovery-objective.ts';
import { after, formatSeconds, secondsBetween } from '../../common/duration.ts';
import { type Region, timestamp } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import { regionsOf } from '../../common/operations-lookup.ts';
import { candidateRegions } from '../leadership/candidates.ts';
import { heldBy } from '../leadership/stop-sign.ts';
import { type ApprovalAnswer, type CoordinationRecord, Epoch, type FailoverPlan, type Hold, type Vote } from '../models.ts';
import { countingVotes, type Trouble, troubles } from './majority.ts';

/** Everything that a decision rests on. Who decides is not in it: all observers come to the same. */
export interface Situation {
  readonly operations: Pick<Operations, 'regions' | 'databases' | 'failover'>;
  readonly record: CoordinationRecord;
  readonly votes: readonly Vote[];
  readonly hold: Hold | undefined;
  /** The newest refusal by a person of a plan for the epoch that would come next. */
  readonly refusal?: ApprovalAnswer | undefined;
  readonly now: Date;
}

export type Decision =
  | { readonly action: 'stay'; readonly says: string }
  | { readonly action: 'move'; readonly says: string; readonly trigger: string; readonly plan: FailoverPlan }
  /** A plan was begun and is not finished, told and recorded: whoever carries it out must be alive. */
  | { readonly action: 'resume'; readonly says: string; readonly plan: FailoverPlan };

/**
 * Whether leadership moves, and why or why not in a sentence. Pure: what it is told is all that it knows.
 *
 * Two of three observers must see the same trigger in votes that are fresh and about the present epoch, each for the dwell by its own clock.
 * Then policy may still say no: a hold, the cool-down after the last change, a person's refusal, or no Region that could take over.
 */
export function decide(situation: Situation): Decision {
  const { phase, committed } = situation.record;
  if (phase !== 'active') return unfinished(situation.record);
  const decision = decideByVotes(situation);
  if (decision.action === 'move' || committed === undefined) return decision;
  const { plan } = committed;
  return { action: 'resume', says: `${plan.to} leads in epoch ${plan.epoch}; its change is not told and recorded yet`, plan };
}

function decideByVotes(situation: Situation): Exclude<Decision, { action: 'resume' }> {
  const { operations, record, now } = situation;
  const { failover, regions } = operations;
  const { holder } = record;
  const stay = (because: string) => ({ action: 'stay' as const, says: `${holder} stays: ${because}`.slice(0, 1000) });
  if (failover.mode === 'off') return stay('failover.mode is off');

  const observers = regionsOf({ regions });
  const votes = countingVotes(situation.votes, record, failover.observe, observers, now);
  const seen = troubles(votes, failover, observers);
  const trouble = seen.find(({ agreed }) => agreed);
  if (trouble === undefined) return stay(noMajority(seen, votes.length, observers.length, failover.observe.dwell));

  const forbidden = objection(situation);
  if (forbidden !== undefined) return stay(`${forbidden}; ${trouble.says}`);
  const to = candidateRegions(operations).find((region) => region !== holder);
  if (to === undefined) return stay(`no other Region has a replica of every database; ${trouble.says}`);
  if (!votes.some(({ observer }) => observer === to)) return stay(`nothing is heard of ${to}, which would take over; ${trouble.says}`);
  return { action: 'move', says: trouble.says.slice(0, 1000), trigger: trouble.trigger, plan: planFor(situation, trouble, to) };
}

/** A claim that is not carried out blocks everything, so observers see to it that somebody does. */
function unfinished({ epoch, phase, plan, holder }: CoordinationRecord): Decision {
  if (plan === undefined) return { action: 'stay', says: `epoch ${epoch} is ${phase} for ${holder} without a plan: a human must look` };
  return { action: 'resume', says: `epoch ${epoch} is ${phase} for ${plan.to}`, plan };
}

function noMajority(seen: readonly Trouble[], heard: number, observers: number, dwell: number): string {
  const [first] = seen;
  if (first !== undefined) return `${first.says}; two must agree for ${formatSeconds(dwell)}`;
  return heard === observers ? `${heard} of ${observers} see nothing wrong` : `${heard} of ${observers} were heard and see nothing wrong`;
}

/** What speaks against moving although a majority sees trouble. */
function objection({ operations, record, hold, refusal, now }: Situation): string | undefined {
  const { coolDown } = operations.failover;
  const held = heldBy(hold, now);
  if (held !== undefined) return held;
  const rested = secondsBetween(new Date(record.changedAt), now);
  if (rested < coolDown) return `leadership changed ${formatSeconds(Math.max(0, rested))} ago, and rests for ${formatSeconds(coolDown)}`;
  if (refusal?.answer === 'rejected' && now < after(new Date(refusal.at), coolDown)) return `${refusal.by} said no at ${refusal.at}`;
  return undefined;
}

function planFor({ operations, record, now }: Situation, { says, witnesses }: Trouble, to: Region): FailoverPlan {
  const { mode, observe } = operations.failover;
  // A finding turns at the last of so many failed probes: the first one was the beginning.
  const counted = (observe.failuresToTrip - 1) * observe.every;
  const began = Math.min(...witnesses.map(({ since }) => since.getTime())) - counted * 1000;
  return {
    kind: 'failover',
    from: record.holder,
    to,
    epoch: Epoch.parse(record.epoch + 1),
    requestedBy: 'codeblue',
    reason: says.slice(0, 1000),
    requestedAt: timestamp(now),
    outageSince: timestamp(new Date(began)),
    needsApproval: mode !== 'automatic' || !record.fenced,
    databases: operations.databases.map(({ id, objectives }) => ({
      databaseId: id,
      lossBudgetSeconds: objectiveFor('region-loss', objectives),
    })),
  };
}
