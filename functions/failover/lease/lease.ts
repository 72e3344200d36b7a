import { after, type Duration } from '../../common/duration.ts';
import { type DatabaseId, type Region, type Timestamp, timestamp } from '../../common/ids.ts';
import { type CoordinationRecord, Epoch } from '../models.ts';

/**
 * What a guardian has to do, by the record and where it is.
 *
 * `begin`    there is no record yet, and this is the Region that leads first
 * `renew`    the databases of the holder
 * `give-way` somebody claimed this Region's epoch: close its databases and say so; `replaced` is the one that a copy is to take the place of
 * `wait`     leadership is changing elsewhere, or another Region begins
 */
export type Duty =
  | { readonly kind: 'begin' }
  | { readonly kind: 'renew'; readonly record: CoordinationRecord }
  | {
      readonly kind: 'give-way';
      readonly epoch: Epoch;
      readonly replaced: DatabaseId | undefined;
      readonly primarySince: Epoch | undefined;
    }
  | { readonly kind: 'wait' };

export function dutyOf(record: CoordinationRecord | undefined, region: Region, primary: Region): Duty {
  if (record === undefined) return { kind: region === primary ? 'begin' : 'wait' };
  if (record.phase === 'active') return { kind: 'renew', record };
  // Beyond the point of no return as well: by then the lease has run out, and closing keeps a clock that is set back from opening it again. But what has
  // the name of a database that is being replaced may be its replacement by then.
  if (record.plan?.kind === 'replace' && record.phase === 'promoting') return { kind: 'wait' };
  return record.plan?.from === region
    ? { kind: 'give-way', epoch: record.epoch, replaced: record.plan.replacement?.databaseId, primarySince: record.primarySince }
    : { kind: 'wait' };
}

/** One renewal, as it is written into the record BEFORE any database hears of it. */
export interface Renewal {
  readonly by: NonNullable<CoordinationRecord['renewedBy']>;
  /** The guardian's clock before it read the clock of the first database. */
  readonly at: Date;
  readonly length: Duration;
  readonly fenced: boolean;
}

export const renewed = (record: CoordinationRecord, { by, at, length, fenced }: Renewal): CoordinationRecord => ({
  ...record,
  ...{ fenced, renewedBy: by, leaseUntil: timestamp(after(at, length)) },
});

/** The first record there ever is: epoch 1, held by the configured primary. */
export const firstRecord = (renewal: Renewal): CoordinationRecord => ({
  ...{ epoch: Epoch.parse(1), holder: renewal.by.region, phase: 'active', version: 0, changedAt: timestamp(renewal.at) },
  ...{ fenced: renewal.fenced, renewedBy: renewal.by, leaseUntil: timestamp(after(renewal.at, renewal.length)) },
});

/** End of a lease in microseconds since 1970, by the database's clock as it was read before the record was renewed. */
export const leaseEndMicros = (clockMicros: number, length: Duration): number => clockMicros + length * 1_000_000;

/** A later run of this Region's guardian renews: this one is not needed any more. */
export const isSuperseded = ({ renewedBy }: Pick<CoordinationRecord, 'renewedBy'>, region: Region, run: Timestamp): boolean =>
  renewedBy?.region === region && renewedBy.run > run;
