import { createHash } from 'node:crypto';
import { timestamp } from '../../functions/common/ids.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { signalOfMessage } from '../../functions/incidents/ingest/signal-of-message.ts';
import type { Signal } from '../../functions/incidents/models.ts';
import { triage } from '../../functions/incidents/triage/triage.ts';
import { alarmEvent } from './alarm-event.ts';
import { noisy, noisyName, serviceName } from './deployment.ts';

/** As the consumer of the larger queue takes them. */
const batch = 100;
const openIncidents = 50;
const roundMs = 400;

/** Events a second on one core; medians of interleaved rounds. */
export interface DecisionRates {
  /** `JSON.parse` and a SHA-256 of the same bytes: what any deduplication by content must do at least. */
  readonly parseAndHash: number;
  /** From the bytes of the event to the signal: parsed with the schema, named by the config, keyed. */
  readonly toSignal: number;
  /** From signals to decisions, with their reasons, the incidents as they are then and their timelines. */
  readonly decide: number;
}

/** Batches of an ongoing storm: alarms that come and go over incidents that are open. */
export function measureDecisions(operations: Operations, rounds: number): DecisionRates {
  const start = new Date('2026-11-21T07:00:00Z');
  const state = openState(operations, start);
  const texts = Array.from({ length: batch }, (_, index) =>
    alarmEvent({
      ...{ alarm: 'CpuHigh', subject: noisyName(index % noisy), severity: 3, rings: Math.floor(index / noisy) % 2 === 0 },
      at: new Date(start.getTime() + 60_000 + index),
    }),
  );
  const signals = texts.map((text) => signalOf(text, operations));
  const now = new Date(start.getTime() + 61_000);
  const work = {
    parseAndHash: () => {
      for (const text of texts) {
        JSON.parse(text);
        createHash('sha256').update(text).digest('hex');
      }
    },
    toSignal: () => {
      for (const text of texts) signalOf(text, operations);
    },
    decide: () => {
      const { decisions } = triage(signals, state, operations.incidents, now);
      if (decisions.length !== batch) throw new TypeError(`${decisions.length} decisions on ${batch} signals`);
    },
  } as const;
  const names = ['parseAndHash', 'toSignal', 'decide'] as const;
  const rates = { parseAndHash: [] as number[], toSignal: [] as number[], decide: [] as number[] };
  for (const name of names) rate(work[name]); // the compiler's turn
  for (let round = 0; round < rounds; round++) for (const name of names) rates[name].push(rate(work[name]));
  return { parseAndHash: median(rates.parseAndHash), toSignal: median(rates.toSignal), decide: median(rates.decide) };
}

/** What is known when a storm has begun: that many services down, an incident each. */
function openState(operations: Operations, at: Date) {
  const opening = Array.from({ length: openIncidents }, (_, index) =>
    signalOf(alarmEvent({ alarm: 'ServiceDown', subject: serviceName(index), severity: 2, rings: true, at }), operations),
  );
  const empty = {
    ...{ home: operations.regions.primary, triaged: new Map(), alarms: new Map(), incidents: [], newest: new Map() },
    ...{ silences: [], window: undefined },
  };
  const plan = triage(opening, empty, operations.incidents, at);
  const incidents = plan.incidents.map(({ incident }) => ({ ...incident, openedAt: timestamp(at) }));
  return {
    ...empty,
    alarms: new Map(plan.alarms.map((alarm) => [alarm.dedupKey, alarm])),
    incidents,
    newest: new Map(incidents.map(({ groupKey, id }) => [groupKey, id])),
  };
}

function signalOf(text: string, operations: Operations): Signal {
  const signal = signalOfMessage(text, { operations, receivedAt: new Date('2026-11-21T07:00:00Z') }, () => undefined);
  if (!signal) throw new TypeError('an event without a signal');
  return signal;
}

function rate(work: () => void): number {
  const begun = process.cpuUsage();
  const until = performance.now() + roundMs;
  let runs = 0;
  for (; performance.now() < until; runs++) work();
  const { user, system } = process.cpuUsage(begun);
  return (runs * batch * 1e6) / (user + system);
}

const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
