import { z } from 'zod';
import { DatabaseId, RecoveryPointId, Region, Timestamp } from '../../common/ids.ts';
import { VerificationRecord } from '../../verify/models.ts';
import { executionFields } from '../execution-record.ts';
import { FailbackRequest } from '../failback/models.ts';
import { Epoch, FailoverPlan, PhaseTime } from '../models.ts';

/** What is asked for: a database of the Region that leads, as it was at a second before it was damaged. */
export const RecoveryRequest = z.strictObject({
  /** The execution's name, and whose hold it is that stands meanwhile. */
  recoveryId: z
    .string()
    .regex(/^recovery-[a-z0-9-]+-\d{8}t\d{6}z$/, 'an id such as recovery-hms-20261121t070000z')
    .max(80),
  databaseId: DatabaseId,
  /** Leads now, and goes on leading. */
  region: Region,
  /** The last second that is still good. */
  until: Timestamp,
  /** The epoch in which it was asked for: when the lead moves meanwhile, this is over. */
  epoch: Epoch,
  requestedBy: FailoverPlan.shape.requestedBy,
  reason: FailoverPlan.shape.reason,
  requestedAt: Timestamp,
  /** Whose hold may stand besides its own: that of the containment which asked for it. */
  under: z.string().min(1).max(200).optional(),
});
export type RecoveryRequest = z.output<typeof RecoveryRequest>;

/** What is restored. `restoredTo`: whatever was committed later is certainly lost. */
export const CleanState = z.discriminatedUnion('method', [
  z.strictObject({
    method: z.literal('transaction-log'),
    restoredTo: Timestamp,
    /** The newest proven backup before that second: evidence that what the log is replayed onto was sound, and what is left when the log is not. */
    provenBefore: RecoveryPointId.optional(),
  }),
  z.strictObject({ method: z.literal('recovery-point'), restoredTo: Timestamp, recoveryPointId: RecoveryPointId, snapshotId: z.string() }),
]);
export type CleanState = z.output<typeof CleanState>;

export const RecoveryStatus = z.enum([
  'requested',
  'held',
  'keeping',
  'kept',
  'waiting',
  'chosen',
  'sound',
  'preparing',
  'prepared',
  'replacing',
  'replaced',
  'protecting',
  'protected',
  /** The copy leads, and the standby is no proven replica of it. */
  'unprotected',
  /** It cannot go on, and nothing was put in any place: what was restored goes. */
  'stopped',
  'tearing-down',
  'as-it-was',
  /** Nobody knows yet whether the copy takes the place: nothing may be removed. */
  'unclear',
  'recovered',
]);
export type RecoveryStatus = z.output<typeof RecoveryStatus>;

/** The record of the machine `recover-database`: each state takes it and returns it. Ids, counts and times: no value of any row. */
export const RecoveryRecord = z.strictObject({
  request: RecoveryRequest,
  status: RecoveryStatus.default('requested'),
  /** The emergency backup of the damaged database. */
  keptAs: RecoveryPointId.optional(),
  clean: CleanState.optional(),
  /** Restore, inspection and teardown of the copy: the record that the steps of verifications take. */
  verification: VerificationRecord.optional(),
  /** What the inspection found, in one sentence. */
  verdict: FailoverPlan.shape.replacement.unwrap().shape.verdict.optional(),
  /** What the machine `failover` is started with. Here before it is started, so that whoever gives up knows what to look for. */
  plan: FailoverPlan.optional(),
  /** The first execution of the machine `failover` for it. */
  execution: z.string().optional(),
  replacedAt: Timestamp.optional(),
  /** What makes the other Region a replica of the new primary. */
  protection: FailbackRequest.optional(),
  /** When the wait that goes on now began. */
  waitingSince: Timestamp.optional(),
  /** Why it is not as it should be: the first reason stays. */
  stoppedBy: z.string().max(1000).optional(),
  phases: z.array(PhaseTime).default([]),
  ...executionFields,
});
export type RecoveryRecord = z.output<typeof RecoveryRecord>;
