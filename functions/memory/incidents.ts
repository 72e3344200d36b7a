import { z } from 'zod';
import { Conflict } from '../common/errors.ts';
import type { Region } from '../common/ids.ts';
import { Timestamp, timestamp } from '../common/ids.ts';
import { isOver } from '../incidents/is-over.ts';
import { Incident, IncidentId, KnownAlarm, Override, Signal, Silence, TimelineEntry, Triage } from '../incidents/models.ts';
import type { Incidents } from '../incidents/ports.ts';
import { timelineKey } from '../incidents/timeline-key.ts';
import { type Failable, failable } from './failable.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';

export interface MemoryIncidents extends Incidents, Failable<Incidents> {}

const Pointer = z.strictObject({ incidentId: IncidentId });

/** Incidents as one Region's functions have them; those of several Regions share a store. */
export function memoryIncidents({ store, region }: { readonly store: ItemStore; readonly region: Region }): MemoryIncidents {
  const incidents = items(store, 'incidents', Incident);
  const open = items(store, 'incidents-open', Pointer);
  const groups = items(store, 'incident-groups', Pointer);
  const timelines = items(store, 'incident-timelines', TimelineEntry);
  const signals = items(store, 'signals', z.strictObject({ signal: Signal, triage: Triage }));
  const alarms = items(store, 'known-alarms', KnownAlarm);
  const silences = items(store, 'silences', Silence);
  const overrides = items(store, 'on-call-overrides', Override);
  const spent = items(store, 'spent-links', z.strictObject({ expiresAt: Timestamp }));

  const alarmKey = (dedupKey: string): string => `${region}/${dedupKey}`;
  /** By what is stored now: in the lab another process may have written since. */
  const list = (incidentId: IncidentId): void => {
    const stored = incidents.get(incidentId)?.value;
    if (stored === undefined || isOver(stored)) open.delete(incidentId);
    else open.put(incidentId, { incidentId });
  };

  return failable<Incidents>({
    async get(id) {
      return incidents.get(id)?.value;
    },
    async open() {
      const found = open.list().flatMap(({ incidentId }) => incidents.get(incidentId)?.value ?? []);
      return found.filter((incident) => !isOver(incident)).sort(newestFirst);
    },
    async recent(since, limit) {
      const found = incidents.list().filter(({ openedAt }) => Date.parse(openedAt) >= since.getTime());
      return found.sort(newestFirst).slice(0, limit);
    },
    async ofGroup(groupKey) {
      const pointer = groups.get(`${region}/${groupKey}`)?.value;
      return pointer && incidents.get(pointer.incidentId)?.value;
    },
    async create(incident, previous) {
      const group = `${incident.home}/${incident.groupKey}`;
      const stored = groups.get(group);
      if (stored?.value.incidentId !== previous) throw new Conflict(`the group ${incident.groupKey} has got another incident`);
      incidents.put(incident.id, incident, 'absent');
      list(incident.id);
      groups.put(group, { incidentId: incident.id }, stored ? { version: stored.version } : 'absent');
    },
    async update(incident) {
      const stored = incidents.get(incident.id);
      if (stored?.value.version !== incident.version) {
        throw new Conflict(`${incident.id} is at version ${stored?.value.version ?? 'none'}, not ${incident.version}`);
      }
      const next = { ...incident, version: incident.version + 1 };
      incidents.put(incident.id, next, { version: stored.version });
      list(next.id);
      return next;
    },

    async timeline(id) {
      return timelines.list(`${id}/`);
    },
    async append(id, entries) {
      for (const entry of entries) unlessThere(() => timelines.put(`${id}/${timelineKey(entry)}`, entry, 'absent'));
    },

    async record(triaged) {
      return triaged.flatMap(({ signal, triage }) =>
        unlessThere(() => signals.put(signal.signalId, { signal, triage }, 'absent')) ? [signal.signalId] : [],
      );
    },
    async triageOf(signalId) {
      return signals.get(signalId)?.value.triage;
    },

    async alarms(dedupKeys) {
      return [...new Set(dedupKeys)].flatMap((dedupKey) => alarms.get(alarmKey(dedupKey))?.value ?? []);
    },
    async heldBack() {
      return alarms.list(`${region}/`).filter(({ heldBack }) => heldBack !== undefined);
    },
    async putAlarm(alarm) {
      const stored = alarms.get(alarmKey(alarm.dedupKey));
      if ((stored?.value.version ?? 0) !== alarm.version) {
        throw new Conflict(`alarm ${alarm.dedupKey} is at version ${stored?.value.version ?? 'none'}, not ${alarm.version}`);
      }
      const next = { ...alarm, version: alarm.version + 1 };
      alarms.put(alarmKey(alarm.dedupKey), next, stored ? { version: stored.version } : 'absent');
      return next;
    },

    async silences() {
      return silences.list();
    },
    async putSilence(silence) {
      silences.put(silence.silenceId, silence);
    },
    async overrides() {
      return overrides.list();
    },
    async putOverride(override) {
      overrides.put(override.overrideId, override);
    },

    async spend(nonce, expiresAt) {
      return unlessThere(() => spent.put(nonce, { expiresAt: timestamp(expiresAt) }, 'absent'));
    },
  });
}

const newestFirst = (a: Incident, b: Incident): number => Date.parse(b.openedAt) - Date.parse(a.openedAt) || (a.id < b.id ? 1 : -1);

/** @returns whether it was written, which it was not where it is already */
function unlessThere(put: () => void): boolean {
  try {
    put();
    return true;
  } catch (error) {
    if (error instanceof Conflict) return false;
    throw error;
  }
}
