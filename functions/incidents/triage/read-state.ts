import { seconds } from '../../common/duration.ts';
import type { Region } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import { insideWindow } from '../../failover/drill/change-window.ts';
import type { Incident, IncidentId, KnownAlarm, Signal, Triage } from '../models.ts';
import type { Incidents } from '../ports.ts';
import type { Known } from './board.ts';
import { groupOf } from './group.ts';
import type { Quiet } from './held-back.ts';
import type { TriageState } from './triage.ts';

interface Reading {
  readonly incidents: Incidents;
  readonly operations: Pick<Operations, 'incidents' | 'changeWindows' | 'timeZone'>;
  readonly region: Region;
}

/** What became of those of these signals that are known. */
async function knownTriage(signals: readonly Signal[], incidents: Incidents): Promise<ReadonlyMap<string, Triage>> {
  const ids = [...new Set(signals.map(({ signalId }) => signalId))];
  const known = await Promise.all(ids.map((id) => incidents.triageOf(id)));
  return new Map(known.flatMap((triage) => (triage ? [[triage.signalId, triage] as const] : [])));
}

/** All that `triage` looks at for these signals. */
export async function readState(signals: readonly Signal[], reading: Reading, now: Date): Promise<TriageState> {
  const triaged = await knownTriage(signals, reading.incidents);
  const fresh = signals.filter(({ signalId }) => !triaged.has(signalId));
  const alarms = await reading.incidents.alarms(fresh.map(({ dedupKey }) => dedupKey));
  const [known, quiet] = await Promise.all([readAround(fresh, alarms, reading), readQuiet(reading, now)]);
  return { home: reading.region, triaged, ...known, ...quiet };
}

/**
 * The incidents that may be concerned by something about these things. Alarms are read before incidents: whoever puts an alarm on an incident in between writes the alarm
 * afterwards, so this batch cannot write it then, and reads again.
 */
export async function readAround(
  about: readonly Pick<KnownAlarm, 'subject' | 'region'>[],
  alarms: readonly KnownAlarm[],
  { incidents, operations, region }: Reading,
): Promise<Known> {
  const groupKeys = [...new Set(about.map((each) => groupOf(each, operations.incidents).groupKey))];
  const [open, newest] = await Promise.all([
    incidents.open(),
    Promise.all(groupKeys.map(async (groupKey) => [groupKey, await incidents.ofGroup(groupKey)] as const)),
  ]);
  const found = new Map<IncidentId, Incident>(open.filter(({ home }) => home === region).map((incident) => [incident.id, incident]));
  for (const [, incident] of newest) if (incident) found.set(incident.id, incident);
  let missing = idsOf([...alarms.map(({ incidentId }) => incidentId), ...[...found.values()].map(({ mergedInto }) => mergedInto)], found);
  while (missing.length > 0) {
    const read = (await Promise.all(missing.map((id) => incidents.get(id)))).filter((incident) => incident !== undefined);
    for (const incident of read) found.set(incident.id, incident);
    missing = idsOf(
      read.map(({ mergedInto }) => mergedInto),
      found,
    );
  }
  return {
    alarms: new Map(alarms.map((alarm) => [alarm.dedupKey, alarm])),
    incidents: [...found.values()],
    newest: new Map(newest.flatMap(([groupKey, incident]) => (incident ? [[groupKey, incident.id] as const] : []))),
  };
}

/** What keeps alarms from paging anybody now. */
export async function readQuiet({ incidents, operations }: Pick<Reading, 'incidents' | 'operations'>, now: Date): Promise<Quiet> {
  return {
    silences: await incidents.silences(),
    window: insideWindow(operations.changeWindows, operations.timeZone, now, seconds(0)),
  };
}

const idsOf = (ids: readonly (IncidentId | undefined)[], found: ReadonlyMap<IncidentId, Incident>): readonly IncidentId[] => [
  ...new Set(ids.flatMap((id) => (id === undefined || found.has(id) ? [] : [id]))),
];
