import { type Region, timestamp } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import { Signal } from '../models.ts';

/** How something came to a door. */
export interface Arrival {
  readonly operations: Operations;
  /** Of the door. */
  readonly region: Region;
  /** The door's own id of the request. */
  readonly id: string;
  readonly receivedAt: Date;
}

/** A signal that stands as of its arrival. */
export const made = (
  { receivedAt }: Pick<Arrival, 'receivedAt'>,
  parts: Omit<Signal, 'at' | 'receivedAt'> & { readonly at?: Signal['at'] },
): Signal => Signal.parse({ at: timestamp(receivedAt), ...parts, receivedAt: timestamp(receivedAt) });
