import type { AuditPolicy } from '../../common/audit-policy.ts';
import { InvalidInput } from '../../common/errors.ts';
import { type CanonicalBody, EVENT_LIMIT_BYTES, type EventBody, EventId, SubmittedEvent, standardActions } from './event.ts';
import { canonicalJson } from './leaf.ts';
import { invalidField, kindOf, type Rejection, rejection, rejectionOfIssues, unknownField } from './rejection.ts';

/** Events of one batch, at most. */
export const BATCH_LIMIT_EVENTS = 500;

/** Stands where the sender's text was no JSON: a line of a body, or a message. */
export const notJson = Symbol('not JSON');

export interface AcceptedEvent {
  /** Its place in the batch. */
  readonly index: number;
  readonly body: EventBody;
  /** Of the body. */
  readonly canonical: CanonicalBody;
}

export interface RejectedEvent extends Rejection {
  readonly index: number;
  /** Where it has one: a UUID, which tells nothing of its content. */
  readonly eventId?: EventId;
}

export interface Accepted {
  readonly accepted: readonly AcceptedEvent[];
  readonly rejected: readonly RejectedEvent[];
}

export interface Acceptance {
  readonly policy: AuditPolicy;
  readonly now: Date;
  /** When Codeblue's side got hold of it, where it waited since: its age counts from then. `now` when left out. */
  readonly handedOverAt?: Date;
  /** Who handed it over: an IAM principal, or `bus/<account>/<source>`; at most 300 characters. */
  readonly submittedBy: string;
}

/**
 * What of a delivery can be recorded. Each event is judged by itself, so that none sinks its batch; one that is in the batch twice, word for word, is accepted twice and is one
 * event all the same. What is recorded is what was sent: anything that parsing would drop or change is refused instead.
 *
 * @param given one event, or a list of them
 * @throws InvalidInput for more than 500
 */
export function acceptEvents(given: unknown, acceptance: Acceptance): Accepted {
  const entries: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (entries.length > BATCH_LIMIT_EVENTS)
    throw new InvalidInput(`a batch of ${entries.length} events; wanted: ${BATCH_LIMIT_EVENTS} at most`, { hint: 'Send them in several.' });
  const actions = new Set<string>([...standardActions, ...acceptance.policy.actions]);
  const seen = new Map<EventId, CanonicalBody>();
  const accepted: AcceptedEvent[] = [];
  const rejected: RejectedEvent[] = [];
  entries.forEach((entry, index) => {
    const judged = acceptable(entry, actions, acceptance, seen);
    if ('code' in judged) rejected.push({ index, ...idOf(entry), ...judged });
    else {
      seen.set(judged.body.eventId, judged.canonical);
      accepted.push({ index, ...judged });
    }
  });
  return { accepted, rejected };
}

/** Canonical JSON is made once for each event: it is measured, compared and recorded. */
function acceptable(
  entry: unknown,
  actions: ReadonlySet<string>,
  acceptance: Acceptance,
  seen: ReadonlyMap<EventId, CanonicalBody>,
): Omit<AcceptedEvent, 'index'> | Rejection {
  const event = judge(entry, actions, acceptance);
  if ('code' in event) return event;
  const body = { ...event, submittedBy: acceptance.submittedBy };
  const canonical = canonicalJson(body);
  return sizeRefused(canonical, acceptance) ?? reuseOf(seen, event.eventId, canonical) ?? { body, canonical };
}

function judge(entry: unknown, actions: ReadonlySet<string>, acceptance: Acceptance): SubmittedEvent | Rejection {
  if (entry === notJson) return rejection('not-json', 'text that is no JSON', 'an event as JSON, in UTF-8', 'Send it so.');
  if (!isObject(entry)) return rejection('not-an-event', `got ${kindOf(entry)}`, 'a JSON object', 'Send each event as an object.');
  const parsed = SubmittedEvent.safeParse(entry);
  if (!parsed.success) return loneSurrogateIn(entry, fields) ?? rejectionOfIssues(entry, parsed.error.issues);
  const event = parsed.data;
  // The schema's patterns take no half of a character; `details` has none.
  const malformed = loneSurrogateIn(entry, ['details']);
  if (malformed) return malformed;
  const inexact = inexactIn(event);
  if (inexact) return inexact;
  if (!isWordForWord(entry, event)) return unknownField(1);
  return reservedIn(event) ?? actionRefused(event, actions) ?? clockRefused(event, acceptance) ?? event;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether parsing kept everything and changed nothing; both are of the form of the contract, so nothing lies deeper than `details`. */
function isWordForWord(entry: Readonly<Record<string, unknown>>, event: Readonly<Record<string, unknown>>): boolean {
  const names = Object.keys(entry);
  return (
    names.length === Object.keys(event).length &&
    names.every((name) => {
      const [given, kept] = [entry[name], event[name]];
      return isObject(given) && isObject(kept) ? isWordForWord(given, kept) : given === kept;
    })
  );
}

const idOf = (entry: unknown): { readonly eventId?: EventId } => {
  const parsed = isObject(entry) ? EventId.safeParse(entry.eventId) : undefined;
  return parsed?.success ? { eventId: parsed.data } : {};
};

/** Made once: a schema's keys are a new schema each time. */
const fields = SubmittedEvent.keyof().options;

const isBroken = (value: unknown): boolean => typeof value === 'string' && !value.isWellFormed();

function loneSurrogateIn(entry: Readonly<Record<string, unknown>>, among: typeof fields): Rejection | undefined {
  for (const field of among) {
    const value = entry[field];
    const parts = isObject(value) ? Object.entries(value).flat() : [value];
    if (parts.some(isBroken)) return invalidField(field, 'text with a lone surrogate', 'lone-surrogate');
  }
  return undefined;
}

/** An integer beyond 2^53 - 1 has lost its last digits when it is read. */
function inexactIn({ details = {} }: SubmittedEvent): Rejection | undefined {
  const place = Object.values(details).findIndex((value) => Number.isInteger(value) && !Number.isSafeInteger(value));
  return place < 0 ? undefined : invalidField('details', `entry ${place + 1} with a number that is not kept exactly`);
}

/**
 * Ids of chance and time alone. One of version 3 or 5 is a hash of a name, which can be tried against the public leaf; 1 and 2 name a machine; 8 is that of Codeblue's acts, so
 * that nobody outside can take the id of an act that is to come.
 */
function reservedIn({ service, eventId }: SubmittedEvent): Rejection | undefined {
  if (service === 'codeblue') return invalidField('service', "Codeblue's own name", 'reserved-service');
  const version = eventId.charAt(14);
  return version === '4' || version === '7' ? undefined : invalidField('eventId', `a UUID of version ${version}`, 'id-version');
}

const actionRefused = ({ action }: SubmittedEvent, actions: ReadonlySet<string>): Rejection | undefined =>
  actions.has(action) ? undefined : invalidField('action', `an unknown one of ${action.length} characters`, 'unknown-action');

function clockRefused({ at }: SubmittedEvent, { policy, now, handedOverAt = now }: Acceptance): Rejection | undefined {
  const { ahead, behind } = policy.clockSkew;
  const happenedAt = Date.parse(at);
  const aheadSeconds = Math.ceil((happenedAt - now.getTime()) / 1000);
  if (aheadSeconds > ahead)
    return rejection(
      'clock-ahead',
      `at: ${aheadSeconds} s ahead of Codeblue's clock`,
      `${ahead} s at most`,
      "Set the sender's clock by NTP.",
    );
  const behindSeconds = Math.ceil((handedOverAt.getTime() - happenedAt) / 1000);
  if (behindSeconds > behind)
    return rejection(
      ...(['clock-behind', `at: ${behindSeconds} s before it was handed over`, `${behind} s at most`] as const),
      'Send events when they happen; of older ones, tell who runs Codeblue.',
    );
  return undefined;
}

/** The event as it was sent: without what says who handed it over. */
function sizeRefused(canonical: CanonicalBody, { submittedBy }: Acceptance): Rejection | undefined {
  const bytes = Buffer.byteLength(canonical) - Buffer.byteLength(`,"submittedBy":${JSON.stringify(submittedBy)}`);
  return bytes <= EVENT_LIMIT_BYTES
    ? undefined
    : rejection(
        'too-large',
        `${bytes} bytes of canonical JSON`,
        `${EVENT_LIMIT_BYTES} at most`,
        'Keep what is long elsewhere, and name it in details.',
      );
}

function reuseOf(seen: ReadonlyMap<EventId, CanonicalBody>, eventId: EventId, canonical: CanonicalBody): Rejection | undefined {
  const first = seen.get(eventId);
  return first === undefined || first === canonical ? undefined : idReused('an event before it in the batch');
}

/** @param by who has the id already */
export const idReused = (by: string): Rejection =>
  rejection(
    'id-reused',
    `its eventId is that of ${by}, with other content`,
    'a UUID of its own for each event',
    'Give it a new one, if it is another event.',
  );
