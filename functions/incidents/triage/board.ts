import type { Region } from '../../common/ids.ts';
import { isOver } from '../is-over.ts';
import type { Incident, IncidentId, KnownAlarm } from '../models.ts';
import { troubleIn } from './change-incident.ts';

/** What triage has to write, in this order; an incident is written in its last form, once. */
export type IncidentChange =
  | { readonly kind: 'create'; readonly incident: Incident; readonly previous: IncidentId | undefined }
  | { readonly kind: 'update'; readonly incident: Incident };

/** What was read: alarms by dedup key, incidents that may be concerned, and the newest incident of each group by group key. */
export interface Known {
  readonly alarms: ReadonlyMap<string, KnownAlarm>;
  readonly incidents: readonly Incident[];
  readonly newest: ReadonlyMap<string, IncidentId>;
}

/** Alarms and incidents of one Region while a batch is decided: what was read, and what the batch has made of it so far. */
export class Board {
  readonly home: Region;
  readonly #alarms: Map<string, KnownAlarm>;
  readonly #changedAlarms = new Set<string>();
  readonly #incidents: Map<IncidentId, Incident>;
  readonly #newest: Map<string, IncidentId>;
  readonly #previous = new Map<IncidentId, IncidentId | undefined>();
  readonly #changed = new Set<IncidentId>();

  constructor({ alarms, incidents, newest }: Known, home: Region) {
    this.home = home;
    this.#alarms = new Map(alarms);
    this.#incidents = new Map(incidents.map((incident) => [incident.id, incident]));
    this.#newest = new Map(newest);
  }

  alarm(dedupKey: string): KnownAlarm | undefined {
    return this.#alarms.get(dedupKey);
  }

  /** Forgets a change that changes nothing, so that nothing is written for it. */
  putAlarm(alarm: KnownAlarm): void {
    if (isSame(this.#alarms.get(alarm.dedupKey), alarm)) return;
    this.#alarms.set(alarm.dedupKey, alarm);
    this.#changedAlarms.add(alarm.dedupKey);
  }

  /** As what it was merged into, where it was. */
  incident(id: IncidentId): Incident | undefined {
    const seen = new Set<IncidentId>();
    let found = this.#incidents.get(id);
    while (found?.mergedInto && !seen.has(found.id)) {
      seen.add(found.id);
      found = this.#incidents.get(found.mergedInto);
    }
    return found;
  }

  /** Those of this Region that are open, the one that heard something last first. */
  open(): readonly Incident[] {
    const open = [...this.#incidents.values()].filter((incident) => incident.home === this.home && !isOver(incident));
    return open.sort((a, b) => (a.lastSignalAt === b.lastSignalAt ? (a.id < b.id ? 1 : -1) : a.lastSignalAt < b.lastSignalAt ? 1 : -1));
  }

  /** The open one that has this alarm; one where it rings rather than one where it is well. */
  openWith(dedupKey: string): Incident | undefined {
    const having = this.open().filter((incident) => troubleIn(incident, dedupKey));
    return having.find((incident) => troubleIn(incident, dedupKey)?.status === 'firing') ?? having[0];
  }

  /** Those that have this alarm, over or not. */
  having(dedupKey: string): readonly Incident[] {
    return [...this.#incidents.values()].filter(
      (incident) => incident.home === this.home && incident.status !== 'merged' && troubleIn(incident, dedupKey) !== undefined,
    );
  }

  create(incident: Incident): void {
    this.#previous.set(incident.id, this.#newest.get(incident.groupKey));
    this.#newest.set(incident.groupKey, incident.id);
    this.#incidents.set(incident.id, incident);
    this.#changed.add(incident.id);
  }

  update(incident: Incident): Incident {
    if (isSame(this.#incidents.get(incident.id), incident)) return incident;
    // Nobody has been told of an incident that is not written yet: it begins as what the batch makes of it.
    const next = this.#previous.has(incident.id) ? { ...incident, generation: 1 } : incident;
    this.#incidents.set(next.id, next);
    this.#changed.add(next.id);
    return next;
  }

  changes(): { readonly alarms: readonly KnownAlarm[]; readonly incidents: readonly IncidentChange[] } {
    const incident = (id: IncidentId): readonly Incident[] => [this.#incidents.get(id)].filter((each) => each !== undefined);
    return {
      alarms: [...this.#changedAlarms].flatMap((dedupKey) => this.#alarms.get(dedupKey) ?? []),
      incidents: [...this.#changed].flatMap((id) =>
        incident(id).map((changed) =>
          this.#previous.has(id)
            ? { kind: 'create' as const, incident: changed, previous: this.#previous.get(id) }
            : { kind: 'update' as const, incident: changed },
        ),
      ),
    };
  }
}

const isSame = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);
