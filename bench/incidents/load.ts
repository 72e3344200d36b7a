import { setTimeout as wait } from 'node:timers/promises';
import type { Severity } from '../../functions/common/incident-policy.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { type AlarmChange, alarmEvent, signalIdOf } from './alarm-event.ts';
import { noisy, noisyName, serviceName } from './deployment.ts';
import { type Pipeline, pipeline } from './pipeline.ts';

export interface Load {
  readonly perMinute: number;
  readonly seconds: number;
  /** One event of so many is a service that goes down, and pages; the others are alarms that come and go. */
  readonly oneIn: number;
}

export interface Latencies {
  readonly events: number;
  /** From the moment at which an event was due until its page had been taken by the channel, milliseconds, ascending. */
  readonly urgent: readonly number[];
  readonly others: readonly number[];
  /** Services that went down and of which no channel took a page within the time to drain. */
  readonly unpaged: number;
  /** Events of which triage recorded nothing. */
  readonly lost: number;
}

const drainSeconds = 60;

/** Sends at a steady rate, whatever becomes of it: an event that is sent late because the processor is busy counts from when it was due. */
export async function measureLoad(operations: Operations, load: Load): Promise<Latencies> {
  const made = pipeline(operations);
  try {
    const changes = await send(made, load);
    const pages = changes.filter(({ alarm }) => alarm === 'ServiceDown');
    let accepted = new Map<string, number>();
    for (const giveUpAt = Date.now() + drainSeconds * 1000; Date.now() < giveUpAt; ) {
      accepted = await acceptedAt(made);
      if (accepted.size >= pages.length && made.queue.depth('signals') + made.queue.depth('urgent-signals') === 0) break;
      await wait(200);
    }
    const taken = pages.flatMap(({ subject, severity, at }) => {
      const moment = accepted.get(subject);
      return moment === undefined ? [] : [{ severity, milliseconds: moment - at.getTime() }];
    });
    const of = (isIt: (severity: Severity) => boolean): readonly number[] =>
      taken.flatMap(({ severity, milliseconds }) => (isIt(severity) ? [milliseconds] : [])).sort((a, b) => a - b);
    const known = await Promise.all(changes.map((change) => made.incidents.triageOf(signalIdOf(change))));
    return {
      events: changes.length,
      urgent: of((severity) => severity === 1),
      others: of((severity) => severity > 1),
      unpaged: pages.length - taken.length,
      lost: known.filter((triage) => triage === undefined).length,
    };
  } finally {
    await made.stop();
  }
}

async function send({ queue }: Pipeline, load: Load): Promise<readonly AlarmChange[]> {
  const events = Math.round((load.perMinute * load.seconds) / 60);
  const begin = Date.now();
  const dueAt = (number: number): number => begin + Math.round((number * 60_000) / load.perMinute);
  const changes: AlarmChange[] = [];
  while (changes.length < events) {
    while (changes.length < events && dueAt(changes.length) <= Date.now()) {
      const change = changeOf(changes.length, load.oneIn, new Date(dueAt(changes.length)));
      changes.push(change);
      queue.put(change.severity === 1 ? 'urgent-signals' : 'signals', alarmEvent(change));
    }
    await wait(2);
  }
  return changes;
}

/** Every other page is of severity 1. */
function changeOf(number: number, oneIn: number, at: Date): AlarmChange {
  const page = number / oneIn;
  if (Number.isInteger(page))
    return { alarm: 'ServiceDown', subject: serviceName(page), severity: page % 2 === 0 ? 1 : 2, rings: true, at };
  return { alarm: 'CpuHigh', subject: noisyName(number % noisy), severity: 3, rings: Math.floor(number / noisy) % 2 === 0, at };
}

/** When a channel took the first page of each service, by the outbox. */
async function acceptedAt({ incidents, outbox }: Pipeline): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const incident of await incidents.open()) {
    const moments = (await outbox.of(incident.id)).flatMap(({ acceptedAt: at }) => (at === undefined ? [] : [Date.parse(at)]));
    const [trouble] = incident.troubles;
    if (trouble && moments.length > 0) found.set(trouble.subject, Math.min(...moments));
  }
  return found;
}
