import { z } from 'zod';
import { DatabaseId, RecoveryPointId, Region, Timestamp } from '../../common/ids.ts';
import { executionFields } from '../execution-record.ts';
import { Epoch, FailoverPlan } from '../models.ts';

/** What is asked for when somebody is in who must not be. The machine runs in the Region that leads. */
export const BreachRequest = z.strictObject({
  /** The execution's name; evidence lies below it. */
  breachId: z.string().regex(/^breach-\d{8}t\d{6}z$/, 'an id such as breach-20261121t120000z'),
  region: Region,
  epoch: Epoch,
  requestedBy: FailoverPlan.shape.requestedBy,
  /** In the words of whoever declared it: in the record and the report, never in a notice. */
  reason: z.string().min(1).max(500),
  /** When people said that it is one. The times in which others must be told run from here. */
  declaredAt: Timestamp,
  /** Logs are exported from this moment on. */
  since: Timestamp,
  /** A database to bring back to a second at which it was certainly clean. */
  recover: z.strictObject({ databaseId: DatabaseId, until: Timestamp }).optional(),
});
export type BreachRequest = z.output<typeof BreachRequest>;

export const BreachStatus = z.enum([
  'requested',
  'held',
  'released',
  'shutting-out',
  'shut-out',
  'beginning',
  'begun',
  'told',
  'exporting',
  'exported',
  'storing',
  'stored',
  'sealed',
  'recover',
  'recovering',
  'recovered',
  'contained',
  'incomplete',
  'not-contained',
]);
export type BreachStatus = z.output<typeof BreachStatus>;

/** One database, and whether the application can still get to it. */
const ShutOut = z.strictObject({ region: Region, databaseId: DatabaseId, at: Timestamp });

/** What is kept of one database of the Region that leads. */
export const PreservedDatabase = z.strictObject({
  databaseId: DatabaseId,
  recoveryPointId: RecoveryPointId,
  status: z.enum(['wanted', 'creating', 'available', 'failed']),
  /** The copy in the vault; its status while it is being made, then until when nobody can remove it. */
  locked: z
    .strictObject({
      requestedAt: Timestamp,
      status: z.enum(['creating', 'available', 'failed']),
      copyId: z.string().optional(),
      lockedUntil: Timestamp.optional(),
    })
    .optional(),
});
export type PreservedDatabase = z.output<typeof PreservedDatabase>;

/** One log group and how much of it is stored. Groups are numbered in their order: objects are named by it. */
const ExportedGroup = z.strictObject({
  region: Region,
  name: z.string(),
  events: z.int().nonnegative().default(0),
  objects: z.int().nonnegative().default(0),
  status: z.enum(['wanted', 'exported', 'missing', 'failed']).default('wanted'),
});
export type ExportedGroup = z.output<typeof ExportedGroup>;

export const LogExport = z.strictObject({
  /** Events before this moment; set by the first run, when the application has long been shut out. */
  until: Timestamp,
  groups: z.array(ExportedGroup),
  /** Where the first group that is still wanted goes on. */
  cursor: z.string().optional(),
  /** Attempts in a row that brought nothing. */
  failures: z.int().nonnegative().default(0),
});
export type LogExport = z.output<typeof LogExport>;

/** The record of the machine `contain-breach`: each state takes it and returns it. Ids, counts and times; nothing out of a log. */
export const BreachRecord = z.strictObject({
  request: BreachRequest,
  status: BreachStatus.default('requested'),
  heldAt: Timestamp.optional(),
  shutOut: z.array(ShutOut).default([]),
  databases: z.array(PreservedDatabase).default([]),
  logs: LogExport.optional(),
  toldAt: Timestamp.optional(),
  sealed: z.strictObject({ key: z.string(), sha256: z.string(), objects: z.int(), events: z.int(), at: Timestamp }).optional(),
  recovery: z.strictObject({ recoveryId: z.string(), outcome: z.enum(['recovered', 'failed']).optional() }).optional(),
  /** A person opened the network again while the machine was still at work. */
  releasedBy: z.string().max(200).optional(),
  /** What could not be done: people must know of it. */
  gaps: z.array(z.string().max(300)).max(200).default([]),
  /** When the wait that goes on now began. */
  waitingSince: Timestamp.optional(),
  ...executionFields,
});
export type BreachRecord = z.output<typeof BreachRecord>;
