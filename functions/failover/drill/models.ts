import { z } from 'zod';
import { DatabaseId, Region, Timestamp } from '../../common/ids.ts';
import { executionFields } from '../execution-record.ts';
import { Epoch, FailoverPlan, PhaseTime } from '../models.ts';

/** What is asked for. A rehearsal runs in the Region that would take over, beside the live system. */
export const RehearsalRequest = z.strictObject({
  /** The execution's name; the temporary databases are named after it. */
  rehearsalId: z.string().regex(/^rehearsal-\d{8}t\d{6}z$/, 'an id such as rehearsal-20261114t080000z'),
  epoch: Epoch,
  leader: Region,
  region: Region,
  requestedBy: FailoverPlan.shape.requestedBy,
  requestedAt: Timestamp,
  /** When the change window closes; absent when a person runs it outside of all of them. */
  windowClosesAt: Timestamp.optional(),
});
export type RehearsalRequest = z.output<typeof RehearsalRequest>;

export const RehearsalStatus = z.enum([
  'requested',
  'well',
  'creating',
  'up',
  'promoting',
  'written',
  'removing',
  'removed',
  'passed',
  'missed',
  'aborted',
  /** Whatever it waits for or does: it goes to the teardown. `stoppedBy` says why. */
  'stop',
]);
export type RehearsalStatus = z.output<typeof RehearsalStatus>;

const Canary = z.strictObject({ seq: z.int().nonnegative(), writtenAt: Timestamp });

/** One database that is rehearsed, on a temporary copy. */
export const RehearsedDatabase = z.strictObject({
  databaseId: DatabaseId,
  restoredId: z.string(),
  /** The newest canary that anybody knew of the live database when the copy stopped following it. */
  live: z.strictObject({ canary: Canary, at: Timestamp }).optional(),
  /** When it stopped following. */
  partedAt: Timestamp.optional(),
  /** The newest canary on the copy before its first own write. */
  arrived: Canary.optional(),
  /** First write that the copy committed, under a lease of its own. */
  writtenAt: Timestamp.optional(),
  /** Canary rows that were written into it, one in each of its databases. */
  writes: z.int().nonnegative().default(0),
});
export type RehearsedDatabase = z.output<typeof RehearsedDatabase>;

/** The record of the machine `failover-rehearsal`: each state takes it and returns it. Ids, counts and times. */
export const RehearsalRecord = z.strictObject({
  request: RehearsalRequest,
  status: RehearsalStatus.default('requested'),
  ...executionFields,
  databases: z.array(RehearsedDatabase).default([]),
  phases: z.array(PhaseTime).default([]),
  /** Why it ended before its end. */
  stoppedBy: z.string().max(1000).optional(),
  teardown: z.strictObject({ requestedAt: Timestamp, removedAt: Timestamp.optional() }).optional(),
});
export type RehearsalRecord = z.output<typeof RehearsalRecord>;
