import { Conflict, ServiceUnavailable } from '../../common/errors.ts';
import { FailoverRefused } from '../errors.ts';
import type { CoordinationRecord } from '../models.ts';
import type { Coordination } from '../ports.ts';
import type { Transition } from './claim.ts';

/** Guardians renew every few seconds, and each renewal wins against a write that read before it. */
const races = 5;

/**
 * Reads who leads, decides on what it read, and writes that over exactly this version; again from the start when somebody else wrote in
 * between, or when the table did not say whether it took the write: only a fresh read can tell.
 *
 * @returns the record as it stands then, and whether this call knows that it wrote it
 * @throws FailoverRefused when the transition does not fit where things stand; Conflict or ServiceUnavailable when it could not be settled
 */
export async function writeTransition(
  coordination: Coordination,
  decide: (record: CoordinationRecord) => Transition,
): Promise<{ readonly record: CoordinationRecord; readonly wrote: boolean }> {
  let lost: unknown;
  for (let race = 0; race < races; race++) {
    const record = await coordination.read();
    if (record === undefined) throw new FailoverRefused('nobody has ever led: there is no coordination record');
    const transition = decide(record);
    if (transition.kind === 'already') return { record, wrote: false };
    if (transition.kind === 'refused') throw new FailoverRefused(transition.because);
    try {
      return { record: await coordination.replace(transition.record), wrote: true };
    } catch (error) {
      if (!(error instanceof Conflict || error instanceof ServiceUnavailable)) throw error;
      lost = error;
    }
  }
  throw lost;
}
