import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Signal } from '../models.ts';
import type { Integration } from './integration-of.ts';
import { pagerdutySeverities } from './severity-of.ts';
import { type Arrival, made } from './signal-made.ts';
import { alarmOfIntegration, dedupKeyOf, noteOf } from './signal-parts.ts';
import { regionIn, subjectOf } from './subject-of.ts';

/** PagerDuty's own limit of one event. */
export const pagerdutyBytes = 512 * 1024;

const missing = 'is missing or blank';
const Text = z.string(missing).trim().min(1, missing);
const severityWords = Object.keys(pagerdutySeverities) as [keyof typeof pagerdutySeverities];

const Payload = z.looseObject(
  {
    // PagerDuty cuts a longer summary to 1 024 characters; ours goes into a note with a limit of its own.
    summary: Text,
    source: Text,
    severity: z.enum(severityWords, `is invalid (must be one of the following: ${severityWords.join(', ')})`),
    component: z.unknown().optional(),
    group: z.unknown().optional(),
    class: z.unknown().optional(),
    timestamp: z.unknown().optional(),
    custom_details: z.unknown().optional(),
  },
  missing,
);

/** A trigger may leave it blank, and is told one that was made. */
const BlankKey = z.string('is not a string').max(255, 'is too long (maximum is 255 characters)');
const DedupKey = BlankKey.min(1, missing);
const Common = {
  routing_key: Text,
  client: z.unknown().optional(),
  client_url: z.unknown().optional(),
  links: z.unknown().optional(),
  images: z.unknown().optional(),
};

/** Events API v2, `POST /v2/enqueue`: fields that are not named here are taken and not looked at, as PagerDuty does. */
const Event = z.discriminatedUnion(
  'event_action',
  [
    z.looseObject({ ...Common, event_action: z.literal('trigger'), dedup_key: BlankKey.nullish(), payload: Payload }),
    z.looseObject({ ...Common, event_action: z.literal('acknowledge'), dedup_key: DedupKey, payload: z.unknown().optional() }),
    z.looseObject({ ...Common, event_action: z.literal('resolve'), dedup_key: DedupKey, payload: z.unknown().optional() }),
  ],
  'is invalid (must be one of the following: trigger, acknowledge, resolve)',
);
export type PagerDutyEvent = z.output<typeof Event>;

/** `POST /v2/change/enqueue`. */
const Change = z.looseObject({
  routing_key: Text,
  payload: z.looseObject({ summary: Text, source: z.unknown().optional(), component: z.unknown().optional() }, missing),
});
export type PagerDutyChange = z.output<typeof Change>;

type Read<T> = { readonly read: T } | { readonly errors: readonly string[] };

export const readPagerDutyEvent = (body: string): Read<PagerDutyEvent> => read(Event, body);
export const readPagerDutyChange = (body: string): Read<PagerDutyChange> => read(Change, body);

/** The errors name fields and what is wrong with them, in PagerDuty's way; they repeat nothing of the body. */
function read<S extends z.ZodType>(schema: S, body: string): Read<z.output<S>> {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { errors: ['JSON parse error'] };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { read: parsed.data };
  return {
    errors: parsed.error.issues.map(({ path, message }) => (path.length === 0 ? `event ${message}` : `'${path.join('.')}' ${message}`)),
  };
}

/**
 * The signal of an event. Events stand in the order in which they came here, whatever their `timestamp` says: a caller's clock that is ahead would make its own `resolve`
 * older than its `trigger`.
 *
 * @returns the signal, and the `dedup_key` that the caller is told: its own, or one that was made
 */
export function signalOfPagerDuty(
  event: PagerDutyEvent,
  integration: Integration,
  arrival: Arrival,
): { readonly signal: Signal; readonly dedupKey: string } {
  const { operations, region } = arrival;
  const dedupKey = event.dedup_key || randomUUID().replaceAll('-', '');
  const payload = Payload.partial().safeParse(event.payload).data ?? {};
  const details = z.looseObject({}).safeParse(payload.custom_details).data ?? {};
  const about = [payload.component, details.service, payload.group, payload.source];
  // What is over is no emergency, whatever it was; what is acknowledged is urgent by itself (`queueOf`).
  const severity = payload.severity ? pagerdutySeverities[payload.severity] : event.event_action === 'trigger' ? 2 : 4;
  const signal = made(arrival, {
    signalId: `pagerduty/${integration.id}/${arrival.id}`,
    source: 'pagerduty',
    integration: integration.id,
    action: event.event_action,
    dedupKey: dedupKeyOf('integration', integration.id, dedupKey),
    alarm: alarmOfIntegration([payload.class, details.alertname], integration),
    subject: subjectOf(about, operations, integration.service),
    region: regionIn([details.region, payload.source], operations, region),
    severity,
    note: noteOf([
      ['summary', payload.summary],
      ['source', payload.source],
      ['component', payload.component],
      ['group', payload.group],
      ['class', payload.class],
      ['timestamp', payload.timestamp],
      ['dedup_key', dedupKey],
      ['client', event.client],
      ['client_url', event.client_url],
      ...linksOf(event.links).map((href) => ['link', href] as const),
    ]),
  });
  return { signal, dedupKey };
}

/** The first few: a note is not long. */
function linksOf(links: unknown): readonly string[] {
  return (
    z
      .array(z.looseObject({ href: z.string() }))
      .safeParse(links)
      .data?.slice(0, 5)
      .map(({ href }) => href) ?? []
  );
}
