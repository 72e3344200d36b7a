import type { Region, Timestamp } from '../common/ids.ts';
import type { ContactMethod } from '../common/incident-policy.ts';
import type { Incident, IncidentId, KnownAlarm, Override, Page, Signal, Silence, TimelineEntry, Triage } from './models.ts';
import type { SendRate } from './paging/pace.ts';
import type { PageText } from './paging/page-text.ts';

/**
 * Incidents of the deployment, in the state table: each is written in its home Region only, and read everywhere (about a second later elsewhere).
 *
 * @throws ServiceUnavailable
 */
export interface Incidents {
  get(id: IncidentId): Promise<Incident | undefined>;
  /** Those that are not over, newest first. */
  open(): Promise<readonly Incident[]>;
  /** Newest first, at most `limit`, opened at or after `since`. */
  recent(since: Date, limit: number): Promise<readonly Incident[]>;
  /** The open incident of a group in this Region, or the one that was resolved last; strongly consistent. */
  ofGroup(groupKey: string): Promise<Incident | undefined>;
  /** Opens it and makes it the one of its group. @throws Conflict when the group has got another one since `previous` (undefined: none) was read */
  create(incident: Incident, previous: IncidentId | undefined): Promise<void>;
  /** Replaces if the stored `version` is `incident.version`, stores `version + 1`. @returns what is stored now @throws Conflict */
  update(incident: Incident): Promise<Incident>;

  /** Ascending. */
  timeline(id: IncidentId): Promise<readonly TimelineEntry[]>;
  /** Appends; the same entry (by time, kind and words) again changes nothing. */
  append(id: IncidentId, entries: readonly TimelineEntry[]): Promise<void>;

  /** What became of each signal. The first word on a signal stands: @returns those that had none before */
  record(triaged: readonly { readonly signal: Signal; readonly triage: Triage }[]): Promise<readonly string[]>;
  /** Undefined for one that is not known, or no longer (30 days). */
  triageOf(signalId: string): Promise<Triage | undefined>;

  /** What is known of these alarms in this Region, by dedup key, strongly consistent; those of which nothing is known are left out. */
  alarms(dedupKeys: readonly string[]): Promise<readonly KnownAlarm[]>;
  /** Alarms of this Region that are held back. */
  heldBack(): Promise<readonly KnownAlarm[]>;
  /** Writes it if the stored `version` is `alarm.version` (0: nothing is stored), stores `version + 1`. @returns what is stored now @throws Conflict */
  putAlarm(alarm: KnownAlarm): Promise<KnownAlarm>;

  silences(): Promise<readonly Silence[]>;
  putSilence(silence: Silence): Promise<void>;
  overrides(): Promise<readonly Override[]>;
  putOverride(override: Override): Promise<void>;

  /** True the first time that something with this name is spent. */
  spend(nonce: string, expiresAt: Date): Promise<boolean>;
}

/** Pages, durable before they are sent. */
export interface Outbox {
  /** Adds it unless a page of that id is there. @returns whether it was added */
  add(page: Page): Promise<boolean>;
  of(incidentId: IncidentId): Promise<readonly Page[]>;
  /** Due at or before `until` and neither accepted, failed nor not needed any more; oldest first, worst incidents are the caller's to sort. */
  unsent(until: Date, limit: number): Promise<readonly Page[]>;
  /** Replaces if the stored `version` is `page.version`. @throws Conflict: somebody else sends it */
  update(page: Page): Promise<Page>;
}

/** One way to reach one person. */
export interface Recipient {
  readonly person: string;
  readonly method: ContactMethod;
}

/** A channel takes a page, or does not; it answers within 20 s. @throws ChannelRefused (not retryable: a wrong address, a revoked key), ServiceUnavailable */
export interface Channels {
  /** @param to `pageId` goes along where the channel knows idempotency @returns the channel's own id of the message */
  send(to: Recipient & { readonly pageId: string }, text: PageText): Promise<string>;
  /** Whether a page would arrive: subscriptions confirmed, keys present, not suspended. Findings in words; empty when well. */
  check(to: Recipient): Promise<readonly string[]>;
}

/** What each channel of this Region was given lately, so that all senders together stay below its rate. @throws ServiceUnavailable */
export interface SendRates {
  get(method: Page['method']): Promise<SendRate>;
  /** Writes it if the stored `version` is `rate.version` (0: nothing is stored), stores `version + 1`. @throws Conflict */
  put(method: Page['method'], rate: SendRate): Promise<void>;
}

/** The queues before triage: at least once, in any order. */
export interface SignalQueue {
  /** Severity 1 has a queue of its own, so that no storm stands before it. */
  send(signals: readonly Signal[]): Promise<void>;
}

/** Counters of what integrations ask for, one for each and each minute, that all instances of a Region's endpoint share. @throws ServiceUnavailable */
export interface Allowances {
  /** Takes `count` of the `limit` that `name` has in the minute that `minute` begins. @returns false when so many are not left: then none is taken */
  take(name: string, minute: Date, count: number, limit: number): Promise<boolean>;
}

/** Signs links with a key of this Region that never leaves its service: the first 128 bits of an HMAC-SHA-256, in base64url. @throws ServiceUnavailable */
export interface LinkSigner {
  /** The address of this Region's acknowledge endpoint, without a slash at the end; undefined where it has none. */
  readonly address: string | undefined;
  sign(text: string): Promise<string>;
  verify(text: string, signature: string): Promise<boolean>;
}

/** CloudWatch alarms as they stand, for what must be known besides their changes: whether a runbook helped, and what still rings after maintenance. */
export interface AlarmStates {
  /** Undefined when there is no such alarm. */
  state(
    region: Region,
    alarmName: string,
  ): Promise<{ readonly state: 'ok' | 'alarm' | 'insufficient-data'; readonly since: Timestamp } | undefined>;
}
