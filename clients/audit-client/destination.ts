import type { AuditEvent } from './event.ts';
import type { LogResult } from './result.ts';
import type { Answer, SignedPost } from './signed-post.ts';

/** Where events go: how many at a time, as what, and what an answer means for each. */
export interface Destination {
  readonly limits: { readonly events: number; readonly bytes: number };
  post(events: readonly AuditEvent[]): SignedPost;
  /** One for each event, in their order; undefined when the answer says nothing of them. */
  read(events: readonly AuditEvent[], answer: Answer): readonly LogResult[] | undefined;
}

/** Codeblue's own door: what it answers is durable. */
export function httpsDestination(url: string): Destination {
  const address = new URL('/v1/events', url);
  return {
    limits: { events: 500, bytes: 1_000_000 },
    post: (events) => ({
      url: address,
      service: 'lambda',
      headers: { 'content-type': 'application/json' },
      body: events.length === 1 ? JSON.stringify(events[0]) : JSON.stringify(events),
    }),
    read(events, { status, body }) {
      const results = status === 200 || status === 503 ? listIn(body, 'results') : undefined;
      return results?.length === events.length ? events.map(({ eventId }, index) => resultOf(eventId, results[index])) : undefined;
    },
  };
}

/** EventBridge: takes 256 KB in a call, counts what is around the events too, and promises to deliver them. */
export function busDestination(busName: string, source: string, endpoint: string): Destination {
  return {
    limits: { events: 500, bytes: 240_000 },
    post: (events) => ({
      url: new URL('/', endpoint),
      service: 'events',
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AWSEvents.PutEvents' },
      body: JSON.stringify({
        Entries: [
          events.length === 1
            ? { EventBusName: busName, Source: source, DetailType: 'codeblue.audit-event', Detail: JSON.stringify(events[0]) }
            : { EventBusName: busName, Source: source, DetailType: 'codeblue.audit-events', Detail: JSON.stringify({ events }) },
        ],
      }),
    }),
    read(events, { status, body }) {
      const [entry] = status === 200 ? (listIn(body, 'Entries') ?? []) : [];
      if (!isRecord(entry)) return undefined;
      if (typeof entry.EventId === 'string') return events.map(({ eventId }) => ({ eventId, status: 'sent' }));
      return events.map(({ eventId }) => unavailable(eventId, String(entry.ErrorCode), 'The bus did not take it.'));
    },
  };
}

/** Of an answer that tells nothing of the events: whether another attempt can help. */
export const isRetryable = ({ status, body }: Answer): boolean =>
  status >= 500 || status === 429 || status === 408 || (status === 400 && /Throttl|RequestExpired|RequestLimitExceeded/.test(body));

export const unavailable = (eventId: string, code: string, reason: string): LogResult => ({ eventId, status: 'unavailable', code, reason });

function resultOf(eventId: string, given: unknown): LogResult {
  const { status, code, reason } = isRecord(given) ? given : {};
  if (status === 'recorded' || status === 'already') return { eventId, status };
  if (status === 'rejected') return { eventId, status, code: String(code), reason: String(reason) };
  return unavailable(eventId, 'unavailable', 'The log could not make it durable.');
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

function listIn(body: string, name: string): readonly unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    const list = isRecord(parsed) ? parsed[name] : undefined;
    return Array.isArray(list) ? list : undefined;
  } catch {
    return undefined;
  }
}
