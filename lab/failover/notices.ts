import { z } from 'zod';
import type { Clock } from '../../functions/common/clock.ts';
import { Region, Timestamp, timestamp } from '../../functions/common/ids.ts';
import type { Notices } from '../../functions/failover/ports.ts';
import type { ItemStore } from '../../functions/memory/item-store.ts';
import { items } from '../../functions/memory/items.ts';

const Notice = z.strictObject({
  region: Region,
  severity: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  subject: z.string(),
  text: z.string(),
  at: Timestamp,
});
export type LabNotice = z.output<typeof Notice>;

export interface LabNotices extends Notices {
  /** Everything that was sent to anybody, oldest first. */
  mailbox(): readonly LabNotice[];
}

/** A mailbox in the lab's directory, and whoever listens. */
export function labNotices(store: ItemStore, clock: Clock, onNotice: (notice: LabNotice) => void): LabNotices {
  const kept = items(store, 'notices', Notice);
  return {
    async publish(notice) {
      const at = timestamp(clock.now());
      const sameMoment = kept.list(`${at}/`).length;
      kept.put(`${at}/${notice.region}/${sameMoment}`, { ...notice, at }, 'absent');
      onNotice({ ...notice, at });
    },
    mailbox: () => kept.list(),
  };
}
