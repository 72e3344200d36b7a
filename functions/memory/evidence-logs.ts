import { z } from 'zod';
import { NotFound } from '../common/errors.ts';
import { type Region, Timestamp } from '../common/ids.ts';
import type { Operations } from '../common/operations.ts';
import type { EvidenceEvent, EvidenceLogs } from '../failover/ports.ts';
import { type Failable, failable } from './failable.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';

const Event = z.strictObject({ id: z.string(), at: Timestamp, stream: z.string(), message: z.string() });
const Group = z.strictObject({ name: z.string(), events: z.array(Event) });

/** Events of one page; the service gives up to ten thousand. */
const pageLength = 2;

export interface MemoryEvidenceLogs extends EvidenceLogs, Failable<EvidenceLogs> {
  /** Somebody logs: a group is there from its first event on. */
  add(region: Region, group: string, ...events: readonly EvidenceEvent[]): void;
}

/** Log groups of a modelled Region: those that somebody wrote to, and those that the config names. Pages hold two events. */
export function memoryEvidenceLogs({ operations, store }: { operations: Operations; store: ItemStore }): MemoryEvidenceLogs {
  const groups = items(store, 'evidence-logs', Group);
  const keyOf = (region: Region, group: string) => `${region} ${group}`;
  const port = failable<EvidenceLogs>({
    async groups(region) {
      const there = new Set(groups.list(`${region} `).map(({ name }) => name));
      const named = operations.failover.evidence.logGroups[region] ?? [];
      return [...new Set([...there, ...named])].sort().map((name) => ({ name, exists: there.has(name) }));
    },
    async page({ region, group, from, until, cursor = '0' }) {
      const found = groups.get(keyOf(region, group));
      if (!found) throw new NotFound(`there is no log group ${group} in ${region}`);
      const within = found.value.events.filter(({ at }) => Date.parse(at) >= from.getTime() && Date.parse(at) < until.getTime());
      const end = Number(cursor) + pageLength;
      return { events: within.slice(Number(cursor), end), ...(end < within.length ? { cursor: String(end) } : {}) };
    },
  });
  return Object.assign(port, {
    add(region: Region, group: string, ...events: readonly EvidenceEvent[]) {
      const known = groups.get(keyOf(region, group))?.value.events ?? [];
      groups.put(keyOf(region, group), { name: group, events: [...known, ...events] });
    },
  });
}
