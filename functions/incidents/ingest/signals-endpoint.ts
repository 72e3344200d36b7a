import { seconds } from '../../common/duration.ts';
import { defineEndpoint, type HttpRequest, type HttpResponse, jsonResponse } from '../../common/endpoint.ts';
import { timestamp } from '../../common/ids.ts';
import type { PortsFor } from '../../common/ports.ts';
import type { TaskContext } from '../../common/task.ts';
import { alertmanagerBytes, signalsOfAlertmanager } from './alertmanager-webhook.ts';
import { secondsToWait } from './allowance.ts';
import { integrationOf } from './integration-of.ts';
import { pagerdutyBytes, readPagerDutyChange, readPagerDutyEvent, signalOfPagerDuty } from './pagerduty-event.ts';
import { subjectOf } from './subject-of.ts';

const needs = ['signal-queue:send', 'allowances:take'] as const;
type Context = PortsFor<(typeof needs)[number]> & TaskContext;

/**
 * The door of other tools: PagerDuty's Events API v2 under its own paths, and Alertmanager's webhook. An answer of success means that the signals are in the queue.
 * Nothing of what a tool wrote is in an answer but its own `dedup_key`, and nothing of it in a log.
 */
export const signalsEndpoint = defineEndpoint({
  name: 'signals-endpoint',
  summary: "Takes alerts of other tools: PagerDuty's Events API v2 and Alertmanager's webhook.",
  needs,
  timeout: seconds(10),
  concurrency: 20,
  openBecause: 'other tools cannot sign requests for AWS; each has a key of its own, which is compared by its digest',
  async answer(request, context) {
    const path = request.path.replace(/\/+$/, '');
    const door = Object.hasOwn(doors, path) ? doors[path] : undefined;
    if (!door) return jsonResponse(404, { status: 'not found', message: 'There is no such path.' });
    if (request.method !== 'POST') return jsonResponse(405, { status: 'not allowed', message: 'Only POST.' }, { allow: 'POST' });
    return door(request, context);
  },
});

type Door = (request: HttpRequest, context: Context) => Promise<HttpResponse>;

const pagerdutyEvent: Door = async (request, context) => {
  if (Buffer.byteLength(request.body) > pagerdutyBytes) return tooLarge(pagerdutyBytes);
  const event = readPagerDutyEvent(request.body);
  if ('errors' in event) return invalidEvent(event.errors);
  const integration = integrationOf(event.read.routing_key, 'pagerduty', context.operations.incidents.integrations);
  if (!integration) return invalidEvent(["'routing_key' is not known"]);
  const wait = await secondsToWait(integration, context);
  if (wait !== undefined) return throttled(429, wait);
  const { signal, dedupKey } = signalOfPagerDuty(event.read, integration, arrivalOf(request, context));
  await context.signalQueue.send([signal]);
  return jsonResponse(202, { status: 'success', message: 'Event processed', dedup_key: dedupKey });
};

/** A change opens nothing, as with PagerDuty; that there was one is in the audit log, where a post-mortem finds it. */
const pagerdutyChange: Door = async (request, context) => {
  if (Buffer.byteLength(request.body) > pagerdutyBytes) return tooLarge(pagerdutyBytes);
  const change = readPagerDutyChange(request.body);
  if ('errors' in change) return invalidEvent(change.errors);
  const { operations, auditLog, region, clock } = context;
  const integration = integrationOf(change.read.routing_key, 'pagerduty', operations.incidents.integrations);
  if (!integration) return invalidEvent(["'routing_key' is not known"]);
  const wait = await secondsToWait(integration, context);
  if (wait !== undefined) return throttled(429, wait);
  const actId = `change/${integration.id}/${request.requestId}`;
  const { component, source } = change.read.payload;
  await auditLog.record({
    ...{ eventId: actId, actId, phase: 'outcome', outcome: 'success', at: timestamp(clock.now()), region },
    ...{ actor: `integration/${integration.id}`, action: 'report-change', details: {} },
    resource: `service/${subjectOf([component, source], operations, integration.service)}`,
  });
  return jsonResponse(202, { status: 'success', message: 'Change event processed' });
};

/** Alertmanager tries again after a 5xx only: it takes a 429 for a refusal, and the notification would be lost. */
const alertmanager: Door = async (request, context) => {
  const integration = integrationOf(bearerOf(request), 'alertmanager', context.operations.incidents.integrations);
  if (!integration) {
    return jsonResponse(401, { status: 'unauthorized', message: 'The key is not known.' }, { 'www-authenticate': 'Bearer' });
  }
  if (Buffer.byteLength(request.body) > alertmanagerBytes) return tooLarge(alertmanagerBytes);
  const wait = await secondsToWait(integration, context);
  if (wait !== undefined) return throttled(503, wait);
  const signals = signalsOfAlertmanager(request.body, integration, arrivalOf(request, context));
  if (!signals) return invalidEvent(["not a body of Alertmanager's webhook, version 4"]);
  await context.signalQueue.send(signals);
  return jsonResponse(200, { status: 'success', message: `${signals.length} signals` });
};

const doors: Readonly<Record<string, Door>> = {
  '/v2/enqueue': pagerdutyEvent,
  '/v2/change/enqueue': pagerdutyChange,
  '/alertmanager': alertmanager,
};

const arrivalOf = (request: HttpRequest, { operations, region, clock }: Context) => ({
  ...{ operations, region, id: request.requestId, receivedAt: clock.now() },
});

const bearerOf = ({ headers }: HttpRequest): string => /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';

const invalidEvent = (errors: readonly string[]): HttpResponse =>
  jsonResponse(400, { status: 'invalid event', message: 'Event object is invalid', errors });

const tooLarge = (bytes: number): HttpResponse =>
  jsonResponse(413, { status: 'invalid event', message: 'Event object is too large', errors: [`more than ${bytes / 1024} KB`] });

const throttled = (status: 429 | 503, wait: number): HttpResponse => {
  const message = 'Requests for this service are arriving too quickly. Please retry later.';
  return jsonResponse(status, { status: 'throttle exceeded', message, errors: ['rate limit exceeded'] }, { 'retry-after': String(wait) });
};
