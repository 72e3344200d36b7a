import { AuditEvent, type AuditLog } from '../audit/ports.ts';
import { Conflict } from '../common/errors.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';

export function memoryAuditLog(store: ItemStore): AuditLog {
  const events = items(store, 'audit-events', AuditEvent);
  return {
    async record(event) {
      try {
        events.put(event.eventId, event, 'absent');
      } catch (error) {
        if (!(error instanceof Conflict)) throw error; // recorded already: the first record stands
      }
    },
    async act(actId) {
      const ofAct = events.list().filter((event) => event.actId === actId);
      return ofAct.sort((a, b) => rank(a) - rank(b) || ascending(a.eventId, b.eventId));
    },
    async recent(since, limit) {
      return events
        .list()
        .filter((event) => Date.parse(event.at) >= since.getTime())
        .sort((a, b) => ascending(b.at, a.at) || ascending(b.eventId, a.eventId))
        .slice(0, limit);
    },
  };
}

const rank = (event: AuditEvent) => (event.phase === 'intent' ? 0 : 1);
const ascending = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
