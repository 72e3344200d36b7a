import { createHash } from 'node:crypto';
import { seconds } from '../../common/duration.ts';
import { defineSignedEndpoint, type HttpResponse, jsonResponse, type SignedHttpRequest } from '../../common/endpoint.ts';
import type { PortsFor } from '../../common/ports.ts';
import type { TaskContext } from '../../common/task.ts';
import { type Accepted, acceptEvents, BATCH_LIMIT_EVENTS } from '../events/accept.ts';
import { type Recorded, recordEvents } from '../events/record.ts';
import { readBody } from './read-body.ts';

/** Lambda's own limit of a request. */
const BODY_LIMIT_BYTES = 6 * 1024 * 1024;

/** Longest `submittedBy`. */
const CARRIER_LIMIT = 300;

const needs = ['audit-events:record'] as const;
type Context = PortsFor<(typeof needs)[number]> & TaskContext;

/**
 * The door for services that sign their requests: `POST /v1/events` with one event, a list of them, or one on each line. The answer names what became of each, in the order of
 * the request; `recorded` and `already` mean that it is durable. Nothing of what was sent is in an answer but valid event ids, and nothing of it in a log.
 */
export const auditEventsEndpoint = defineSignedEndpoint({
  name: 'audit-events-endpoint',
  summary: 'Takes audit events of applications over HTTPS with IAM, and answers when they are durable.',
  needs,
  timeout: seconds(30),
  memoryMegabytes: 1024,
  concurrency: 50,
  async answer(request, context) {
    if (request.path.replace(/\/+$/, '') !== '/v1/events')
      return refused(404, 'not-found', 'There is no such path; events go to /v1/events.');
    if (request.method !== 'POST') return refused(405, 'not-allowed', 'Only POST.', { allow: 'POST' });
    return takeEvents(request, context);
  },
});

async function takeEvents({ body, headers, caller }: SignedHttpRequest, context: Context): Promise<HttpResponse> {
  if (Buffer.byteLength(body) > BODY_LIMIT_BYTES) return refused(413, 'too-large', 'A body has 6 MB at most: send the events in several.');
  const given = readBody(body, headers['content-type']);
  if (given === undefined)
    return refused(400, 'not-json', 'The body is no JSON; wanted: an event, a list of events, or application/x-ndjson.');
  if (Array.isArray(given) && given.length > BATCH_LIMIT_EVENTS) {
    return refused(
      413,
      'batch-too-long',
      `A batch holds ${BATCH_LIMIT_EVENTS} events at most, this one ${given.length}: send them in several.`,
    );
  }
  const now = context.clock.now();
  const judged = acceptEvents(given, { policy: context.operations.audit, now, submittedBy: carrierOf(caller) });
  const recorded = await recordEvents(judged.accepted, context);
  const results = resultsOf(judged, recorded);
  // Where nothing could be recorded, a client that looks at the status alone tries again.
  const isDown = recorded.length > 0 && recorded.every(({ status }) => status === 'unavailable');
  return isDown ? jsonResponse(503, { results }, { 'retry-after': '2' }) : jsonResponse(200, { results });
}

/** One for each event, in the order of the request. */
function resultsOf({ rejected }: Accepted, recorded: readonly Recorded[]): readonly object[] {
  const refusals = rejected.map(({ index, eventId, code, reason }) => ({ index, eventId, status: 'rejected', code, reason }));
  const answers = recorded.map((each) =>
    each.status === 'unavailable'
      ? { ...each, code: 'unavailable', reason: 'It may not be durable: send it again under the same eventId.' }
      : each,
  );
  return [...refusals, ...answers].sort((a, b) => a.index - b.index);
}

/** The caller's ARN; of one that is too long the beginning, and a digest that tells it from others. */
const carrierOf = (arn: string): string =>
  arn.length <= CARRIER_LIMIT ? arn : `${arn.slice(0, 220)}~${createHash('sha256').update(arn).digest('hex')}`;

const refused = (status: number, code: string, message: string, headers: HttpResponse['headers'] = {}): HttpResponse =>
  jsonResponse(status, { code, message }, headers);
