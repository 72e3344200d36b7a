import { z } from 'zod';
import { InvalidInput } from '../../common/errors.ts';
import { parseAs } from '../../common/parse.ts';
import { Signal } from '../models.ts';
import { alarmStateChange, type RowOf, signalOfCloudWatch } from './cloudwatch-event.ts';
import { codeblueSignal, signalOfCodeblue } from './codeblue-event.ts';
import type { Arrival } from './signal-made.ts';

const EventBridgeEvent = z.looseObject({ 'detail-type': z.string(), source: z.string() });

/**
 * The signal of a message of the queues: what a door sent is a signal already, what EventBridge sent is an event.
 *
 * @returns undefined for an event that tells nothing
 * @throws InvalidInput for anything else: it stays in the queue until it is a dead letter, and is not lost
 */
export function signalOfMessage(body: string, arrival: Pick<Arrival, 'operations' | 'receivedAt'>, rowOf: RowOf): Signal | undefined {
  const json = jsonOf(body);
  const event = EventBridgeEvent.safeParse(json).data;
  if (!event) return parseAs(Signal, json, 'a message of the signal queues');
  const kind = `${event.source}: ${event['detail-type']}`;
  if (kind === kindOf(alarmStateChange)) return signalOfCloudWatch(json, arrival, rowOf);
  if (kind === kindOf(codeblueSignal)) return signalOfCodeblue(json, arrival);
  throw new InvalidInput('an event in the signal queues is of a kind that no door knows');
}

const kindOf = ({ source, detailType }: { readonly source: string; readonly detailType: string }): string => `${source}: ${detailType}`;

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new InvalidInput('a message of the signal queues is not JSON');
  }
}
