import { z } from 'zod';
import { after, days } from '../common/duration.ts';
import { Conflict } from '../common/errors.ts';
import { Timestamp, timestamp } from '../common/ids.ts';
import { regionsOf } from '../common/operations-lookup.ts';
import { isOver } from '../incidents/is-over.ts';
import { Incident, IncidentId, KnownAlarm, Override, Signal, Silence, TimelineEntry, Triage } from '../incidents/models.ts';
import type { Incidents } from '../incidents/ports.ts';
import { documentsIn } from './dynamodb.ts';
import type { AwsSettings } from './settings.ts';
import { incidentsOfMonth, openIncidents, type StateItems, type StateKey, stateItems, stateKeys } from './state-items.ts';
import { writeTogether } from './transactions.ts';

/** What became of a signal is known for as long as a queue could possibly bring it again, and people ask about it. */
const keepSignals = days(30);
const keepPast = days(90);
/** Nothing was opened before Codeblue existed: where a search through the months ends. */
const firstMonth = '202601';

const Pointer = z.strictObject({ incidentId: IncidentId });

/**
 * Incidents in the state table. They are read in this Region and written in their home, wherever that is: a function works its own Region's, the command line anybody's.
 */
export function incidentsPort(settings: AwsSettings): Incidents {
  const { region, operations, stateTable, clock } = settings;
  const incidents = stateItems(settings, Incident);
  const pointers = stateItems(settings, Pointer);
  const timelines = stateItems(settings, TimelineEntry);
  const signals = stateItems(settings, z.strictObject({ signal: Signal, triage: Triage }));
  const silences = stateItems(settings, Silence);
  const overrides = stateItems(settings, Override);
  const spent = stateItems(settings, z.strictObject({ expiresAt: Timestamp }));

  const get = async (id: IncidentId) => (await incidents.get(stateKeys.incident(id)))?.body;
  const found = async (ids: readonly IncidentId[]) => (await Promise.all(ids.map(get))).filter((each) => each !== undefined);

  return {
    get,
    async open() {
      const ids = await Promise.all(regionsOf(operations).map((home) => all(pointers.list(openIncidents(home), 'ascending'))));
      const listed = await found(ids.flat().map(({ incidentId }) => incidentId));
      return listed.filter((incident) => !isOver(incident)).sort(newestFirst);
    },
    async recent(since, limit) {
      const newest: Incident[] = [];
      for (const month of monthsBack(clock.now(), since)) {
        for await (const incident of incidents.list(incidentsOfMonth(month), 'descending')) {
          if (newest.length === limit) return newest.sort(newestFirst);
          if (Date.parse(incident.openedAt) >= since.getTime()) newest.push(incident);
        }
      }
      return newest.sort(newestFirst);
    },
    async ofGroup(groupKey) {
      const pointer = await pointers.get(stateKeys.group(region, groupKey));
      return pointer && (await get(pointer.body.incidentId));
    },
    async create(incident, previous) {
      const { id, home, groupKey } = incident;
      const pointer = { incidentId: id };
      const over = previous === undefined ? { ConditionExpression: 'attribute_not_exists(pk)' } : pointsTo(previous);
      await writeTogether(documentsIn(home), `open ${id}`, [
        incidents.putPart(stateKeys.incident(id), incident, incident.version, {
          over: { ConditionExpression: 'attribute_not_exists(pk)' },
        }),
        pointers.putPart(stateKeys.openIncident(home, id), pointer, 0, { over: {} }),
        pointers.putPart(stateKeys.group(home, groupKey), pointer, 0, { over }),
      ]);
    },
    async update(incident) {
      const { id, home } = incident;
      const next = { ...incident, version: incident.version + 1 };
      const Key = stateKeys.openIncident(home, id);
      await writeTogether(documentsIn(home), `update ${id}`, [
        incidents.putPart(stateKeys.incident(id), next, incident.version + 1), // the item's version is one more than the incident's
        isOver(next) ? { Delete: { TableName: stateTable, Key } } : pointers.putPart(Key, { incidentId: id }, 0, { over: {} }),
      ]);
      return next;
    },

    timeline: (id) => all(timelines.list(`timeline#${id}`, 'ascending')),
    async append(id, entries) {
      await Promise.all(entries.map((entry) => putOnce(timelines, stateKeys.timeline(id, entry), entry)));
    },

    async record(triaged) {
      const expiresAt = after(clock.now(), keepSignals);
      const first = await Promise.all(
        triaged.map(({ signal, triage }) => putOnce(signals, stateKeys.signal(signal.signalId), { signal, triage }, expiresAt)),
      );
      return triaged.filter((_, index) => first[index]).map(({ signal }) => signal.signalId);
    },
    async triageOf(signalId) {
      return (await signals.get(stateKeys.signal(signalId)))?.body.triage;
    },

    ...knownAlarms(settings),

    silences: () => all(silences.list('silences', 'ascending')),
    putSilence: (silence) => replace(silences, stateKeys.silence(silence.silenceId), silence, after(new Date(silence.until), keepPast)),
    overrides: () => all(overrides.list('overrides', 'ascending')),
    putOverride: (override) =>
      replace(overrides, stateKeys.override(override.overrideId), override, after(new Date(override.until), keepPast)),

    spend: (nonce, expiresAt) => putOnce(spent, stateKeys.spent(nonce), { expiresAt: timestamp(expiresAt) }, after(expiresAt, days(1))),
  };
}

/** Alarms of this Region, and the list of those that are held back. */
function knownAlarms(settings: AwsSettings): Pick<Incidents, 'alarms' | 'heldBack' | 'putAlarm'> {
  const { region, stateTable, clock } = settings;
  const known = stateItems(settings, KnownAlarm);
  const held = stateItems(settings, z.strictObject({ dedupKey: KnownAlarm.shape.dedupKey }));

  const alarms = async (dedupKeys: readonly string[]): Promise<readonly KnownAlarm[]> => {
    const found = await Promise.all([...new Set(dedupKeys)].map((dedupKey) => known.get(stateKeys.alarm(region, dedupKey))));
    return found.flatMap((each) => each?.body ?? []);
  };
  return {
    alarms,
    async heldBack() {
      const listed = await all(held.list(stateKeys.heldBackAlarm(region, '').pk, 'ascending'));
      return (await alarms(listed.map(({ dedupKey }) => dedupKey))).filter(({ heldBack }) => heldBack !== undefined);
    },
    async putAlarm(alarm) {
      const { dedupKey, version } = alarm;
      const key = stateKeys.alarm(region, dedupKey);
      const stored = await known.get(key);
      if ((stored?.version ?? 0) !== version) {
        throw new Conflict(`alarm ${dedupKey} is at version ${stored?.version ?? 'none'}, not ${version}`);
      }
      const next = { ...alarm, version: version + 1 };
      const options = next.heard.at(-1)?.rings ? {} : { expiresAt: after(clock.now(), keepSignals) };
      if (!next.heldBack && !stored?.body.heldBack) {
        await known.put(key, next, version, options);
        return next;
      }
      const Key = stateKeys.heldBackAlarm(region, dedupKey);
      const line = next.heldBack ? held.putPart(Key, { dedupKey }, 0, { over: {} }) : { Delete: { TableName: stateTable, Key } };
      await writeTogether(documentsIn(region), `write alarm ${dedupKey}`, [known.putPart(key, next, version, options), line]);
      return next;
    },
  };
}

async function all<T>(listed: AsyncGenerator<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of listed) found.push(each);
  return found;
}

/** @returns whether it was written, which it was not where one is already */
async function putOnce<T>(among: StateItems<T>, key: StateKey, value: T, expiresAt?: Date): Promise<boolean> {
  try {
    await among.put(key, value, 0, expiresAt ? { expiresAt } : {});
    return true;
  } catch (error) {
    if (error instanceof Conflict) return false;
    throw error;
  }
}

async function replace<T>(among: StateItems<T>, key: StateKey, value: T, expiresAt: Date): Promise<void> {
  const stored = await among.get(key);
  await among.put(key, value, stored?.version ?? 0, { expiresAt });
}

const pointsTo = (incidentId: IncidentId) => ({
  ConditionExpression: 'body.incidentId = :previous',
  ExpressionAttributeValues: { ':previous': incidentId },
});

/** `202611`, `202610` ... from tomorrow's month, since the clock of another Region may be ahead, to that of `since`. */
function* monthsBack(now: Date, since: Date): Generator<string> {
  const last = monthOf(since) < firstMonth ? firstMonth : monthOf(since);
  const tomorrow = new Date(now.getTime() + 86_400_000);
  for (let month = Date.UTC(tomorrow.getUTCFullYear(), tomorrow.getUTCMonth()); monthOf(new Date(month)) >= last; ) {
    yield monthOf(new Date(month));
    const first = new Date(month);
    month = Date.UTC(first.getUTCFullYear(), first.getUTCMonth() - 1);
  }
}

const monthOf = (time: Date): string => time.toISOString().slice(0, 7).replace('-', '');

const newestFirst = (a: Incident, b: Incident): number => Date.parse(b.openedAt) - Date.parse(a.openedAt) || (a.id < b.id ? 1 : -1);
