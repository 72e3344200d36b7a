import { z } from 'zod';
import { Region, Timestamp } from '../../common/ids.ts';
import { executionFields } from '../execution-record.ts';
import { FailbackRequest } from '../failback/models.ts';
import { Epoch, FailoverPlan, PhaseTime } from '../models.ts';

/** What is asked for. A full test moves the lead for real, and back; it runs in the Region that leads meanwhile. */
export const FullTestRequest = z.strictObject({
  /** The execution's name. */
  testId: z.string().regex(/^full-test-\d{8}t\d{6}z$/, 'an id such as full-test-20261017t063000z'),
  epoch: Epoch,
  /** Leads now, and shall lead again. */
  leader: Region,
  /** Leads in between. */
  region: Region,
  requestedBy: FailoverPlan.shape.requestedBy,
  requestedAt: Timestamp,
});
export type FullTestRequest = z.output<typeof FullTestRequest>;

export const FullTestStatus = z.enum([
  'requested',
  'moving',
  'moved',
  'watching',
  'go-back',
  'returning',
  'returned',
  'protecting',
  'protected',
  'passed',
  'missed',
  'stopped',
]);
export type FullTestStatus = z.output<typeof FullTestStatus>;

/** The record of the machine `failover-full-test`: each state takes it and returns it. */
export const FullTestRecord = z.strictObject({
  request: FullTestRequest,
  status: FullTestStatus.default('requested'),
  ...executionFields,
  /** The planned change that moves the lead away. */
  plan: FailoverPlan.optional(),
  movedAt: Timestamp.optional(),
  /** What brings the lead back. */
  back: FailbackRequest.optional(),
  returnedAt: Timestamp.optional(),
  /** What makes this Region a replica again, once the lead is back: without it the deployment would have none. */
  protection: FailbackRequest.optional(),
  /** When the wait that goes on now began. */
  waitingSince: Timestamp.optional(),
  /** Why it is not as it should be: the first reason stays. */
  stoppedBy: z.string().max(1000).optional(),
  phases: z.array(PhaseTime).default([]),
});
export type FullTestRecord = z.output<typeof FullTestRecord>;
