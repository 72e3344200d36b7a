import { createHash } from 'node:crypto';
import { Region, timestamp } from '../../functions/common/ids.ts';
import { AlarmName, Incident, KnownAlarm, Page, Signal, Subject } from '../../functions/incidents/models.ts';

export const home = Region.parse('us-east-1');
export const elsewhere = Region.parse('us-west-2');

/** `v1:` and a digest of the words, as the doors make it. */
export const dedupKeyOf = (...words: readonly string[]): string => `v1:${createHash('sha256').update(words.join('\n')).digest('hex')}`;

/** A signal of an alarm in the primary Region: `aSignal({ alarm: 'ServiceDown', subject: 'orders', at: '2026-11-21T07:00:00Z' })`. */
export function aSignal(
  given: Partial<Omit<Signal, 'alarm' | 'subject' | 'region' | 'at'>> & {
    readonly alarm?: string;
    readonly subject?: string;
    readonly region?: string;
    readonly at?: string;
  } = {},
): Signal {
  const { alarm = 'ServiceDown', subject = 'orders', region = home, at = '2026-11-21T07:00:00Z', ...rest } = given;
  const time = timestamp(new Date(at));
  const action = rest.action ?? 'trigger';
  return Signal.parse({
    signalId: `cloudwatch/${alarm}/${subject}/${region}/${action}/${time}`,
    source: 'cloudwatch',
    action,
    dedupKey: dedupKeyOf(alarm, subject, region),
    alarm: AlarmName.parse(alarm),
    subject: Subject.parse(subject),
    region,
    severity: 2,
    at: time,
    receivedAt: time,
    ...rest,
  });
}

/** An incident that one alarm opened; its id follows from `openedAt` and `mark`. */
export function anIncident(
  given: Partial<Omit<Incident, 'openedAt' | 'id'>> & { readonly openedAt?: string; readonly mark?: string } = {},
): Incident {
  const { openedAt = '2026-11-21T07:00:00Z', mark = 'a', ...rest } = given;
  const at = timestamp(new Date(openedAt));
  const digest = createHash('sha256').update(mark).digest('hex').slice(0, 10);
  const { dedupKey, alarm, subject, region, severity } = aSignal();
  return Incident.parse({
    id: `inc-${at.slice(0, 19).replace(/[-:]/g, '').toLowerCase()}z-${digest}`,
    home,
    status: 'triggered',
    severity,
    groupKey: 'orders@us-east-1',
    policy: 'default',
    troubles: [{ dedupKey, alarm, subject, region, severity, status: 'firing', firstAt: at, lastAt: at, signals: 1, changes: [at] }],
    openedAt: at,
    generation: 1,
    escalatesFrom: at,
    phase: 'detection',
    respondBy: timestamp(new Date(Date.parse(at) + 1_800_000)),
    resolveBy: timestamp(new Date(Date.parse(at) + 28_800_000)),
    acknowledgements: [],
    links: [],
    lastSignalAt: at,
    version: 0,
    ...rest,
  });
}

/** A page of an incident that is due at `dueAt`. */
export function aPage(incident: Pick<Incident, 'id' | 'home'>, dueAt: string, given: Partial<Page> = {}): Page {
  return Page.parse({
    pageId: `${incident.id}/1/0/0/on-call/0`,
    incidentId: incident.id,
    home: incident.home,
    person: 'on-call',
    method: 'email',
    reason: 'step',
    dueAt: timestamp(new Date(dueAt)),
    status: 'pending',
    attempts: 0,
    version: 0,
    ...given,
  });
}

export function aKnownAlarm(signal: Signal, given: Partial<KnownAlarm> = {}): KnownAlarm {
  const { dedupKey, region, alarm, subject, at, action, severity } = signal;
  return KnownAlarm.parse({
    dedupKey,
    region,
    alarm,
    subject,
    heard: [{ at, rings: action === 'trigger', severity }],
    version: 0,
    ...given,
  });
}
