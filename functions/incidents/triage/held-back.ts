import type { Timestamp } from '../../common/ids.ts';
import type { IncidentPolicy, Severity } from '../../common/incident-policy.ts';
import type { OpenWindow } from '../../failover/drill/change-window.ts';
import type { KnownAlarm, Silence } from '../models.ts';
import { flaps, type Standing } from './known-alarm.ts';

/** What keeps alarms from paging anybody now. */
export interface Quiet {
  readonly silences: readonly Silence[];
  readonly window: OpenWindow | undefined;
}

/**
 * An open change window says that disruptive work may be going on, not that it is, and it opens every week: it holds back what nobody has to look at before it closes (severities 3 and 4).
 * Work that will ring louder alarms is announced with a silence, by a person and with a reason.
 */
const heldBackByWindow: readonly Severity[] = [3, 4];

type Hold = Pick<NonNullable<KnownAlarm['heldBack']>, 'by' | 'name'> & { readonly says: string };

/** The silence or change window that keeps this alarm from paging anybody now. */
export function quietFor(
  alarm: Pick<KnownAlarm, 'alarm' | 'subject' | 'region'>,
  severity: Severity,
  quiet: Quiet,
  now: Date,
): Hold | undefined {
  const silence = quiet.silences.find((each) => isOn(each, now) && matches(each, alarm));
  if (silence) return { by: 'silence', name: silence.silenceId, says: `silenced by ${silence.silenceId} until ${silence.until}` };
  const { window } = quiet;
  if (window === undefined || !heldBackByWindow.includes(severity)) return undefined;
  return {
    by: 'change-window',
    name: window.name.slice(0, 200),
    says: `held back until the change window closes at ${window.closesAt.toISOString()}`,
  };
}

/** An alarm that comes and goes has been paged for; it is again when it is quiet and still rings. */
export function flapping(standing: Standing, policy: IncidentPolicy['flapping'], now: Date): Hold | undefined {
  if (!flaps(standing, policy, now)) return undefined;
  return {
    by: 'flapping',
    name: 'flapping',
    says: `flaps: ${standing.changes.length} changes since ${standing.changes[0]}; paged again if it still rings after ${policy.quietFor / 60} min without one`,
  };
}

export const heldBack = (known: KnownAlarm, { by, name }: Hold, since: Timestamp): KnownAlarm => ({
  ...known,
  heldBack: { by, name, since: known.heldBack?.since ?? since },
});

export function released({ heldBack: _, ...known }: KnownAlarm): KnownAlarm {
  return known;
}

const isOn = ({ from, until }: Silence, now: Date): boolean => Date.parse(from) <= now.getTime() && now.getTime() < Date.parse(until);

const matches = (silence: Silence, { alarm, subject, region }: Pick<KnownAlarm, 'alarm' | 'subject' | 'region'>): boolean =>
  (silence.alarm ?? alarm) === alarm && (silence.subject ?? subject) === subject && (silence.region ?? region) === region;
