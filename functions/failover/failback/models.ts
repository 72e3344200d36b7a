import { z } from 'zod';
import { DatabaseId, RecoveryPointId, Region, Timestamp } from '../../common/ids.ts';
import { Check } from '../../verify/models.ts';
import { executionFields } from '../execution-record.ts';
import { Epoch, FailoverPlan } from '../models.ts';

/** What only the old primary had, of one table. Counts and names; the rows are in the export. */
export const TableLosses = z.strictObject({
  /** `schema.table`. */
  table: z.string(),
  inserted: z.int().nonnegative(),
  updated: z.int().nonnegative(),
  deleted: z.int().nonnegative(),
  /** Of those, rows that the new primary has written since its promotion: somebody must decide between the two. */
  changedSince: z.int().nonnegative(),
  /** Rows are told apart by key; false: by their content alone, where an update looks like a deletion and an insertion. */
  byKey: z.boolean(),
  /** What could not be told of this table, and why. */
  incomplete: z.string().max(300).optional(),
});
export type TableLosses = z.output<typeof TableLosses>;

const Counts = TableLosses.omit({ byKey: true }).extend({
  databaseId: DatabaseId,
  databaseName: z.string(),
  /** Objects of the export that hold the rows. */
  objects: z.array(z.string()),
});
export type ListedTable = z.output<typeof Counts>;

/** Rows of one table that only the old primary had, or that only it had deleted. */
export const listedRows = ({ inserted, updated, deleted }: Pick<ListedTable, 'inserted' | 'updated' | 'deleted'>): number =>
  inserted + updated + deleted;

/** How far the listing came: everything up to this table is done. */
const ListingPlace = z.strictObject({ databaseId: DatabaseId, databaseName: z.string(), table: z.string() });

/** What is asked for. Failback runs in the Region that leads. */
export const FailbackRequest = z.strictObject({
  /** The execution's name. */
  failbackId: z.string().regex(/^failback-\d+-\d{8}t\d{6}z$/, 'an id such as failback-8-20261121t070000z'),
  /** The epoch in which it was asked for. */
  epoch: Epoch,
  leader: Region,
  oldRegion: Region,
  /** False: the lead stays where it is, and the old Region only becomes its replica. */
  handOver: z.boolean(),
  requestedBy: FailoverPlan.shape.requestedBy,
  reason: FailoverPlan.shape.reason,
  requestedAt: Timestamp,
});
export type FailbackRequest = z.output<typeof FailbackRequest>;

export const FailbackStatus = z.enum([
  'requested',
  'waiting',
  'back',
  'listing',
  'listed',
  'keeping',
  'kept',
  'moving-aside',
  'rebuilding',
  'streaming',
  'proving',
  'proven',
  'handing-over',
  'handed-over',
  'stays',
  'recorded',
  /** It cannot go on; `says` tells why. The primary is as it was. */
  'stopped',
]);
export type FailbackStatus = z.output<typeof FailbackStatus>;

/** The record of the machine `failback`: each state takes it and returns it. Counts, names and times: no value of any row. */
export const FailbackRecord = z.strictObject({
  request: FailbackRequest,
  status: FailbackStatus.default('requested'),
  ...executionFields,
  /** When the wait that goes on now began. */
  waitingSince: Timestamp.optional(),
  listedUntil: ListingPlace.optional(),
  /** Over all tables. */
  lostRows: z.int().nonnegative().default(0),
  /** Tables with something to tell, a few hundred at most; the objects of the export have them all. */
  lost: z.array(Counts).default([]),
  /** Databases whose old primary could not be listed, and why. */
  notListed: z.array(z.strictObject({ databaseId: DatabaseId, why: z.string().max(300) })).default([]),
  /** Databases whose replica in the old Region follows another primary than the one that leads: it was replaced. They are rebuilt too. */
  astray: z.array(z.strictObject({ databaseId: DatabaseId, why: z.string().max(300) })).default([]),
  /** Backups of the old primaries before they were rebuilt. */
  kept: z.array(z.strictObject({ databaseId: DatabaseId, recoveryPointId: RecoveryPointId })).default([]),
  proven: z.array(z.strictObject({ databaseId: DatabaseId, at: Timestamp, checks: z.array(Check) })).default([]),
  /** The planned change that gives the lead back. */
  plan: FailoverPlan.optional(),
  milestones: z.array(z.strictObject({ name: FailbackStatus, at: Timestamp })).default([]),
});
export type FailbackRecord = z.output<typeof FailbackRecord>;
