import type { AuditBreakage } from './audit-breakages.ts';

export const breakagesOfIngest: readonly AuditBreakage[] = [
  {
    name: 'acknowledged-before-durable',
    says: 'An event is acknowledged as soon as it is on its way.',
    flaws: {
      ports: (ports) => ({
        ...ports,
        auditEvents: {
          ...ports.auditEvents,
          record: async (event) => {
            ports.auditEvents.record(event).catch(() => {});
            return 'recorded';
          },
        },
      }),
    },
  },
  {
    name: 'recorded-in-two-steps',
    says: 'The event first and its place in the queue afterwards, not both in one transaction.',
    flaws: {
      ports: (ports, { store, call }) => ({
        ...ports,
        auditEvents: {
          ...ports.auditEvents,
          record: async (event) => {
            const isNew = await call('events.record', () => {
              if (store.recorded.has(event.eventId)) return false;
              store.recorded.set(event.eventId, event);
              return true;
            });
            if (!isNew) return 'already';
            await call('events.enqueue', () => store.enqueue(event));
            return 'recorded';
          },
        },
      }),
    },
  },
  {
    name: 'queued-again',
    says: 'A repeated delivery puts its event into the queue again, over the place that it has.',
    flaws: {
      ports: (ports, { store, call }) => ({
        ...ports,
        auditEvents: {
          ...ports.auditEvents,
          record: async (event) => {
            const outcome = await ports.auditEvents.record(event);
            await call('events.enqueue', () => store.enqueue(store.recorded.get(event.eventId) ?? event));
            return outcome;
          },
        },
      }),
    },
  },
  {
    name: 'leaf-of-the-last-delivery',
    says: 'A repeated delivery replaces what was recorded: its leaf has another salt.',
    flaws: {
      ports: (ports, { store, call }) => ({
        ...ports,
        auditEvents: {
          ...ports.auditEvents,
          record: async (event) => {
            const outcome = await ports.auditEvents.record(event);
            if (outcome === 'recorded') return outcome;
            await call('events.record', () => {
              const known = store.queue.get(event.eventId);
              if (known) store.queue.set(event.eventId, { ...known, entry: { ...known.entry, leaf: event.leaf } });
              store.recorded.set(event.eventId, event);
            });
            return outcome;
          },
        },
      }),
    },
  },
  {
    name: 'erased-with-its-leaf',
    says: 'Erasing an event removes its leaf too.',
    flaws: {
      ports: (ports, { store, call }) => ({
        ...ports,
        auditEvents: {
          ...ports.auditEvents,
          erase: async (ref, at) => {
            await ports.auditEvents.erase(ref, at);
            await call('events.erase', () => store.queue.delete(ref.eventId));
          },
        },
      }),
    },
  },
];
