import { z } from 'zod';
import { days } from '../../common/duration.ts';
import { auditDetailTypes } from '../../common/names.ts';
import { BATCH_LIMIT_EVENTS, notJson } from '../events/accept.ts';
import { jsonOf } from './read-body.ts';

/** What EventBridge makes of an entry. `time` is the sender's, where it gave one. */
const Envelope = z.object({
  'detail-type': z.string(),
  source: z.string(),
  account: z.string().regex(/^\d{12}$/, 'an account of AWS'),
  time: z.iso.datetime(),
  detail: z.unknown(),
});

const BatchDetail = z.object({ events: z.array(z.unknown()).max(BATCH_LIMIT_EVENTS) });

/** EventBridge tries for a day, and the queue and its dead letters keep a message for fourteen: nothing that comes by itself is older. */
const LONGEST_WAY = days(15);

export interface BusMessage {
  /** For `acceptEvents`. */
  readonly given: unknown;
  /** `bus/<account>/<source>`. The source is the application's word for itself: a name of no form that names have is told as unknown. */
  readonly submittedBy: string;
  /** When the bus took it; never earlier than a message can have come. */
  readonly handedOverAt: Date;
}

/** What a message of the queue behind the bus holds. Whatever is no delivery of EventBridge holds one thing, which is no event. */
export function readBusMessage(body: string, now: Date): BusMessage {
  const parsed = Envelope.safeParse(jsonOf(body));
  if (!parsed.success) return { given: notJson, submittedBy: 'bus/unknown', handedOverAt: now };
  const { source, account, time, detail } = parsed.data;
  const earliest = now.getTime() - LONGEST_WAY * 1000;
  return {
    given: eventsOf(parsed.data['detail-type'], detail),
    submittedBy: `bus/${account}/${/^[A-Za-z0-9][A-Za-z0-9._/-]{0,255}$/.test(source) ? source : 'unknown'}`,
    handedOverAt: new Date(Math.min(now.getTime(), Math.max(earliest, Date.parse(time)))),
  };
}

/** A batch of more events than one may hold, or none at all, is one thing that is no event. */
function eventsOf(detailType: string, detail: unknown): unknown {
  if (detailType !== auditDetailTypes.batch) return Array.isArray(detail) ? notJson : detail;
  const batch = BatchDetail.safeParse(detail);
  return batch.success ? batch.data.events : notJson;
}
