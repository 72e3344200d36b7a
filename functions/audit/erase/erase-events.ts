import { createHash } from 'node:crypto';
import type { Clock } from '../../common/clock.ts';
import { InvalidInput } from '../../common/errors.ts';
import { type Region, timestamp } from '../../common/ids.ts';
import { inParallel } from '../../common/in-parallel.ts';
import { audited } from '../audited.ts';
import type { AuditEvents, AuditLog, EventRef } from '../ports.ts';
import type { ErasurePlan } from './plan-erasure.ts';

interface ErasePorts {
  readonly auditEvents: Pick<AuditEvents, 'erase'>;
  readonly auditLog: AuditLog;
  readonly clock: Clock;
  readonly region: Region;
}

/** On whose word, and by which law. Both stand in the log and are never erased: nothing in them may tell who a patient is. */
export interface Erasure {
  readonly by: string;
  readonly reason: string;
  /** Such as `GDPR Art. 17(1)(b)`. */
  readonly basis: string;
}

/** Events of one act: their ids fit one detail of its event (4096 characters). */
const BATCH = 50;
/** Erased at a time. */
const AT_ONCE = 10;

/**
 * Erases the bodies of a plan; leaves, and with them all proofs, stay. Each fifty are an act of their own, whose intent names them before anything is erased. Interrupted
 * anywhere and planned again, it goes on with those that are left.
 *
 * @param told how many are erased, after each batch
 * @throws InvalidInput without reason or basis; ServiceUnavailable: what was told is erased
 */
export async function eraseEvents(
  ports: ErasePorts,
  { erase }: Pick<ErasurePlan, 'erase'>,
  { by, reason, basis }: Erasure,
  told: (erased: number) => void = () => {},
): Promise<{ readonly erased: number }> {
  if (reason.trim() === '' || basis.trim() === '')
    throw new InvalidInput('an erasure wants a reason and a legal basis', { hint: 'Such as GDPR Art. 17(1)(b).' });
  for (let from = 0; from < erase.length; from += BATCH) {
    const batch = erase.slice(from, from + BATCH);
    const events = batch.map(({ region, eventId }) => `${region}/${eventId}`).join(' ');
    const act = {
      ...{ actor: by.slice(0, 200), action: 'audit.erase', resource: `audit-log/erasure-${digestOf(events)}` },
      details: { reason: reason.slice(0, 300), basis: basis.slice(0, 200), count: batch.length, events },
    };
    await audited(ports, act, () => eraseBatch(ports, batch));
    told(from + batch.length);
  }
  return { erased: erase.length };
}

const eraseBatch = ({ auditEvents, clock }: ErasePorts, batch: readonly EventRef[]): Promise<void> =>
  inParallel(AT_ONCE, batch, ({ region, eventId }) => auditEvents.erase({ region, eventId }, timestamp(clock.now())));

/** Ten hexadecimal digits: two batches of one moment are two acts. */
const digestOf = (events: string): string => createHash('sha256').update(events).digest('hex').slice(0, 10);
