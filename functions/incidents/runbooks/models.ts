import { z } from 'zod';
import { DatabaseId, RecoveryPointId, Region, Timestamp } from '../../common/ids.ts';
import { AutomatedRunbook } from '../../common/incident-policy.ts';
import { executionFields } from '../../failover/execution-record.ts';
import { RunbookApproval } from '../../failover/models.ts';
import { AlarmName, Incident, IncidentId, Subject } from '../models.ts';

/** The execution's name: `<incident>-<generation>-<runbook>`, or `run-<time>-<runbook>` for one that a person started. At most 80 characters. */
const RunId = z
  .string()
  .regex(/^(inc|run)-[a-z0-9-]+$/, 'an id such as run-20261121t070000z-restart-orders')
  .max(80);

/** What one run of an automated runbook is to do, and why. It acts in the Region whose alarm it is about, and the machine runs there. */
export const RunbookRequest = z.strictObject({
  runId: RunId,
  runbook: AutomatedRunbook.shape.id,
  region: Region,
  alarm: AlarmName,
  subject: Subject,
  /** The incident that it was started for, and the alarm on it. */
  incident: z.strictObject({ id: IncidentId, generation: Incident.shape.generation, dedupKey: z.string() }).optional(),
  /** `codeblue` where an alarm started it, else the person. */
  requestedBy: z.string().min(1).max(200),
  requestedAt: Timestamp,
});
export type RunbookRequest = z.output<typeof RunbookRequest>;

/** How a run ended, or that it has not. */
export const RunOutcome = z.enum(['helped', 'not-helped', 'refused', 'failed']);
export type RunOutcome = z.output<typeof RunOutcome>;

/** What is to be done, decided with what was so at that moment: done again after a crash, it comes to the same. */
export const PlannedAct = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('restart-service'), capacity: z.string(), wanted: z.int(), running: z.int() }),
  z.strictObject({ kind: z.literal('scale-out'), capacity: z.string(), from: z.int(), to: z.int() }),
  z.strictObject({ kind: z.literal('end-long-queries'), databaseId: DatabaseId, olderThanSeconds: z.int() }),
  z.strictObject({ kind: z.literal('enlarge-storage'), databaseId: DatabaseId, fromGigabytes: z.int(), toGigabytes: z.int() }),
  z.strictObject({ kind: z.literal('emergency-backup'), databaseId: DatabaseId, recoveryPointId: RecoveryPointId }),
]);
export type PlannedAct = z.output<typeof PlannedAct>;

/** One run that was let begin. Whatever was refused before is none. */
export const RunbookRun = z.strictObject({
  runId: RunId,
  runbook: AutomatedRunbook.shape.id,
  kind: z.enum(['restart-service', 'scale-out', 'end-long-queries', 'enlarge-storage', 'emergency-backup']),
  /** `capacity/orders-api`, `database/hms`. */
  target: z.string().min(1).max(100),
  startedAt: Timestamp,
  act: PlannedAct,
  /** Whoever died with it holds nobody up for longer. */
  until: Timestamp,
  endedAt: Timestamp.optional(),
  outcome: RunOutcome.optional(),
});
export type RunbookRun = z.output<typeof RunbookRun>;

/** Runs of one Region, oldest first, as one thing: who reads it, decides and writes it back is the only one who did. */
export const RunbookHistory = z.strictObject({
  runs: z.array(RunbookRun).max(1000),
  /** 0: nothing is stored. */
  version: z.int().nonnegative(),
});
export type RunbookHistory = z.output<typeof RunbookHistory>;

export const RunbookStatus = z.enum([
  'requested',
  'ask',
  'may',
  'waiting',
  'approved',
  'refused',
  'act',
  'act-in-database',
  'acted',
  'helping',
  'helped',
  'not-helped',
  'failed',
]);
export type RunbookStatus = z.output<typeof RunbookStatus>;

/** The record of the machine `run-runbook`: each state takes it and returns it. Ids, counts and times. */
export const RunbookRecord = z.strictObject({
  request: RunbookRequest,
  status: RunbookStatus.default('requested'),
  ...executionFields,
  /** What a human was asked. */
  question: RunbookApproval.optional(),
  /** When it was let begin: from then on the history has it. */
  startedAt: Timestamp.optional(),
  act: PlannedAct.optional(),
  actedAt: Timestamp.optional(),
  /** What was done, in words. */
  did: z.string().max(500).optional(),
});
export type RunbookRecord = z.output<typeof RunbookRecord>;
