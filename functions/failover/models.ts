import { z } from 'zod';
import { DatabaseId, Region, Timestamp } from '../common/ids.ts';
import { executionFields } from './execution-record.ts';

/** The generation of leadership. Raised by each claim, never lowered; 0 is before the first. */
export const Epoch = z.int().nonnegative().brand<'Epoch'>();
export type Epoch = z.output<typeof Epoch>;

/** SHA-256 in hex. */
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex');

/**
 * What somebody means to do, fixed before it begins. `epoch` is the one that it will claim, so a plan is good for one change of
 * leadership only: an approval of it cannot be used for the next.
 */
export const FailoverPlan = z.strictObject({
  /**
   * `failover`: the old primary is lost or cut off, data may be lost within the budget. `switchover`: both are well, nothing may be lost. `replace`: a database is
   * damaged, and a restored copy takes its place in the Region that leads; `from` and `to` are the same.
   */
  kind: z.enum(['failover', 'switchover', 'replace']),
  from: Region,
  to: Region,
  epoch: Epoch,
  /** Who asked: `codeblue` for the observers' decision, else the person. */
  requestedBy: z.string().min(1).max(200),
  /** Why, in words; the decision's own explanation when the observers asked. */
  reason: z.string().min(1).max(1000),
  requestedAt: Timestamp,
  /** Since when something was wrong, by the observers that agreed on it: what RTO is counted from. Absent when nothing was. */
  outageSince: Timestamp.optional(),
  /** Whether a human must agree before the claim; follows the mode, and is always true without a complete fence. */
  needsApproval: z.boolean(),
  databases: z.array(z.strictObject({ databaseId: DatabaseId, lossBudgetSeconds: z.number().nonnegative() })),
  /** What takes whose place: with the kind `replace`, and with no other. */
  replacement: z
    .strictObject({
      databaseId: DatabaseId,
      restoredId: z.string().min(1).max(63),
      /** The restored copy shows this moment: whatever was committed later is not in it. */
      restoredTo: Timestamp,
      /** Findings of its inspection, in one sentence for whoever is asked. */
      verdict: z.string().min(1).max(500),
    })
    .optional(),
});
export type FailoverPlan = z.output<typeof FailoverPlan>;

/** What may be lost, quoted in seconds and transactions. */
export const LossEstimate = z.strictObject({
  databaseId: DatabaseId,
  /** Between the newest canary that the replica has and the last one known of the primary: certainly lost. */
  provenSeconds: z.number().nonnegative(),
  /** The above, and the time after the last known position in which the primary may still have accepted writes. The budget is held against this. */
  atMostSeconds: z.number().nonnegative(),
  /** Transactions between the replica and the last known position of the primary. */
  transactions: z.number().nonnegative(),
  /** Age of the last known position when the claim was made. Absent when nobody knows one: nobody can tell the loss then, and it counts as over the budget. */
  lastKnownAgeSeconds: z.number().nonnegative().optional(),
  budgetSeconds: z.number().nonnegative(),
});
export type LossEstimate = z.output<typeof LossEstimate>;

/** How it is known that the old primary cannot write any more. */
const Fenced = z.enum(['by-receipt', 'by-expiry', 'by-human']);

/** What a change of leadership came to at the point of no return: an execution that takes over could not find it out any more. */
const Commitment = z.strictObject({ plan: FailoverPlan, fenced: Fenced, losses: z.array(LossEstimate) });
export type Commitment = z.output<typeof Commitment>;

/**
 * The one record that says who leads. Written by conditional writes only, in a table that survives the loss of any one Region.
 *
 * `active`    the holder's guardians may renew the lease.
 * `claimed`   epoch raised for `plan`: nobody may renew, the old lease runs out; can still be rolled back.
 * `promoting` the point of no return is passed: only forward.
 */
export const CoordinationRecord = z.strictObject({
  epoch: Epoch,
  /** The Region whose databases accept writes in this epoch, or will. */
  holder: Region,
  phase: z.enum(['active', 'claimed', 'promoting']),
  /** End of the lease by the clock of the guardian that renewed it. Routing looks at it; no decision about the database does. */
  leaseUntil: Timestamp,
  /** Whether every application table was fenced at the last renewal. Without it nothing moves without a human. */
  fenced: z.boolean(),
  /** While `claimed` or `promoting`. */
  plan: FailoverPlan.optional(),
  /** From the point of no return until the change is told and recorded. On an `active` record: its Region leads and writes, and the rest is still to be done. */
  committed: Commitment.optional(),
  /** The epoch in which the primaries of today were opened: their history is one since then. A rollback leaves it. Absent where nothing has ever changed. */
  primarySince: Epoch.optional(),
  /** When the holder last changed (cool-down). */
  changedAt: Timestamp,
  /** Whose renewal this is. Of two runs of one Region's guardian that overlap, the one that began earlier stops. */
  renewedBy: z.strictObject({ region: Region, run: Timestamp }).optional(),
  /** Raised by each write; a writer that read an older one loses (`Conflict`). Each renewal raises it: unchanged means not renewed. */
  version: z.int().nonnegative(),
});
export type CoordinationRecord = z.output<typeof CoordinationRecord>;

/** Where a database's history stands, by what it says itself. */
export const Position = z.strictObject({
  /** The newest canary row, with the time by the primary's clock at which it was written. */
  canary: z.strictObject({ seq: z.int().nonnegative(), writtenAt: Timestamp }).optional(),
  /** Transactions begun so far (`pg_snapshot_xmax(pg_current_snapshot())`): differences count transactions. */
  transactions: z.number().nonnegative(),
  /** Write-ahead log position as text where the server tells one (not on Aurora). */
  lsn: z.string().optional(),
});
export type Position = z.output<typeof Position>;

/** One thing that an observer looked at. `unknown`: it has no way to look (no network to the database, say), which is no evidence. */
export const Finding = z.strictObject({
  /** `region`, `database/<id>` or `service/<name>`. */
  subject: z.string().min(1).max(120),
  status: z.enum(['healthy', 'unhealthy', 'unknown']),
  /** Since when without a break, after the counting of consecutive probes, by the observer's clock. */
  since: Timestamp,
  /** Consecutive probes that said the opposite of `status`; the status turns when they reach the policy's count. */
  contrary: z.int().nonnegative(),
  /** Evidence in words: `200 in 31 ms`, `timeout after 2 s`, `refused`. Never anything out of a response's body. */
  says: z.string().max(200),
});
export type Finding = z.output<typeof Finding>;

/** What one observer saw of the holder's Region, with its evidence. One item per observer: the newest replaces the one before. */
export const Vote = z.strictObject({
  /** Region of the observer. */
  observer: Region,
  /** By the observer's clock. */
  at: Timestamp,
  /** When the run of the observer that cast it began: of two runs that overlap the older one stops. */
  run: Timestamp,
  /** The Region and epoch that it is about: a vote about another epoch does not count. */
  about: Region,
  epoch: Epoch,
  findings: z.array(Finding),
  /** Last known positions of the live databases and when they were read, by the observer's clock; kept from vote to vote while they cannot be read. */
  positions: z.array(z.strictObject({ databaseId: DatabaseId, position: Position, at: Timestamp })),
  /**
   * The version of the coordination record that it last read, and for how long it has seen no other, on its own clock alone. Nothing was
   * renewed in that time: a lease made by the last renewal is that much older at least. This is how the claimant knows how long
   * still to wait without comparing clocks of two machines.
   */
  lease: z.strictObject({ version: z.int().nonnegative(), unchangedSeconds: z.number().nonnegative() }),
});
export type Vote = z.output<typeof Vote>;

/** The victim's own guardian saw the claim and closed its databases: written by a planned change, or by a Region that was only cut off. */
export const FenceReceipt = z.strictObject({
  region: Region,
  /** The epoch that it gave way to. */
  epoch: Epoch,
  at: Timestamp,
  databases: z.array(z.strictObject({ databaseId: DatabaseId, position: Position })),
});
export type FenceReceipt = z.output<typeof FenceReceipt>;

/** The last that is known of the old primary, kept from before the claim: the observers look at the new holder from then on. */
export const LastKnown = z.strictObject({
  databaseId: DatabaseId,
  position: Position,
  /** When it was read, by the clock of whoever read it. */
  at: Timestamp,
  ageSeconds: z.number().nonnegative(),
  /** For how long after `at` the old primary can have accepted writes, at most. */
  openSeconds: z.number().nonnegative(),
});
export type LastKnown = z.output<typeof LastKnown>;

/**
 * What a human is asked. Everything that they agree to is in it, and the answer names its hash: it is good for this plan, this question
 * and these figures, and for nothing else.
 */
export const ApprovalQuestion = z.strictObject({
  /** `start`: may it begin? `accept-loss`: the loss is over the budget. `old-primary-is-off`: there is no fence, is the old primary certainly off? */
  question: z.enum(['start', 'accept-loss', 'old-primary-is-off']),
  plan: FailoverPlan,
  losses: z.array(LossEstimate),
});
export type ApprovalQuestion = z.output<typeof ApprovalQuestion>;

export const ApprovalRequest = z.strictObject({
  /** SHA-256 of the canonical JSON (RFC 8785) of `question`. */
  hash: Sha256,
  question: ApprovalQuestion,
  askedAt: Timestamp,
  expiresAt: Timestamp,
});
export type ApprovalRequest = z.output<typeof ApprovalRequest>;

/** What a human is asked before an automated runbook acts: good for this run of this runbook as the config has it, and for nothing else. */
export const RunbookQuestion = z.strictObject({
  question: z.literal('run-runbook'),
  /** The execution that waits for it. */
  runId: z.string().min(1).max(80),
  region: Region,
  /** The runbook as the config has it, as JSON. */
  runbook: z.string().min(1).max(2000),
  /** What it would do, and because of what, in words. */
  says: z.string().min(1).max(500),
  requestedBy: z.string().min(1).max(200),
  requestedAt: Timestamp,
});
export type RunbookQuestion = z.output<typeof RunbookQuestion>;

export const RunbookApproval = ApprovalRequest.extend({ question: RunbookQuestion });
export type RunbookApproval = z.output<typeof RunbookApproval>;

/** One person's answer. The first counts. */
export const ApprovalAnswer = z.strictObject({
  hash: Sha256,
  answer: z.enum(['approved', 'rejected']),
  by: z.string().min(1).max(200),
  at: Timestamp,
});
export type ApprovalAnswer = z.output<typeof ApprovalAnswer>;

/** Nothing moves by itself before `until`: maintenance, or an incident that people handle by hand. */
export const Hold = z.strictObject({ until: Timestamp, by: z.string().min(1).max(200), reason: z.string().min(1).max(500), at: Timestamp });
export type Hold = z.output<typeof Hold>;

/**
 * Somebody is in who must not be: the application is shut out of the databases in every Region until a person opens the network again. It stands
 * beside the hold, because a recovery has to take the hold away while the network must stay shut.
 */
export const Containment = z.strictObject({ breachId: z.string().min(1).max(80), by: z.string().min(1).max(200), since: Timestamp });
export type Containment = z.output<typeof Containment>;

/** One phase of a change of leadership, for the RTO per phase. */
export const PhaseTime = z.strictObject({ name: z.string(), startedAt: Timestamp, endedAt: Timestamp.optional() });
export type PhaseTime = z.output<typeof PhaseTime>;

/** What a step of the failover machine found; the machine's choices look at this alone. */
export const FailoverStatus = z.enum([
  'planned',
  // Before the claim.
  'go',
  'not-called-for',
  'ask',
  'waiting',
  'approved',
  'refused',
  'expired',
  // From the claim to the point of no return.
  'claimed',
  'lost',
  'fenced',
  'unfenced',
  'within-budget',
  'over-budget',
  'behind',
  'rolled-back',
  // Beyond it.
  'committed',
  'promoting',
  'promoted',
  'noted',
  'open',
  'confirmed',
  'moved',
  'at-strength',
  'done',
  'stuck',
]);
export type FailoverStatus = z.output<typeof FailoverStatus>;

/** The record of the failover machine: each step takes it and returns it. It starts as `{ plan }`. */
export const FailoverRecord = z.strictObject({
  plan: FailoverPlan,
  status: FailoverStatus.default('planned'),
  ...executionFields,
  claimedAt: Timestamp.optional(),
  /** Set by the claim: for how long the old lease may still run, at most. Each look takes off what it waited by its own clock. */
  fenceWaitSeconds: z.number().nonnegative().optional(),
  lastKnown: z.array(LastKnown).default([]),
  fenced: Fenced.optional(),
  losses: z.array(LossEstimate).default([]),
  /** The question that a human was last asked. */
  question: ApprovalRequest.optional(),
  /** Per database of each server, `pg_current_snapshot()` of the new primary before its first write: a transaction not in it never arrived. */
  snapshots: z.array(z.strictObject({ databaseId: DatabaseId, databaseName: z.string(), snapshot: z.string() })).default([]),
  /** First confirmed canary write on the new primary. */
  confirmedAt: Timestamp.optional(),
  /** The critical services answered in the new Region. */
  servingAt: Timestamp.optional(),
  /** Everything that is scaled ran at full strength. */
  atStrengthAt: Timestamp.optional(),
  /** What went wrong without stopping the failover, for people and the report. */
  shortfalls: z.array(z.string().max(500)).default([]),
  phases: z.array(PhaseTime).default([]),
});
export type FailoverRecord = z.output<typeof FailoverRecord>;
