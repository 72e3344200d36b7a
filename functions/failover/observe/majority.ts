import { formatSeconds, secondsBetween } from '../../common/duration.ts';
import type { FailoverPolicy } from '../../common/failover-policy.ts';
import type { Region } from '../../common/ids.ts';
import type { CoordinationRecord, Finding, Vote } from '../models.ts';

/** `region`, `critical-services` or `database/<id>`: observers agree only when they see the same. */
export type Trigger = string;

/** What one observer sees of one trigger. */
interface Witness {
  readonly observer: Region;
  /** Since when, by the observer's clock, and for how long at its vote. */
  readonly since: Date;
  readonly seconds: number;
  readonly says: string;
}

/** A trigger that somebody sees, with everybody who sees it. */
export interface Trouble {
  readonly trigger: Trigger;
  readonly witnesses: readonly Witness[];
  /** A majority of the observers has seen it for the policy's dwell. */
  readonly agreed: boolean;
  /** `us-east-1 unreachable: 2 of 3 unhealthy for 34 s: eu-west-1 timeout after 2 s, us-west-2 refused` */
  readonly says: string;
}

/** A vote may come from a clock that is ahead by so much: NTP keeps machines of a cloud within milliseconds. */
const skewSeconds = 5;

/** Votes that count: of this deployment's observers, fresh, and about the Region and epoch that lead now. */
export function countingVotes(
  votes: readonly Vote[],
  { holder, epoch }: Pick<CoordinationRecord, 'holder' | 'epoch'>,
  { voteMaxAge }: Pick<FailoverPolicy['observe'], 'voteMaxAge'>,
  observers: readonly Region[],
  now: Date,
): readonly Vote[] {
  const newest = new Map<Region, Vote>();
  for (const vote of votes) {
    const age = secondsBetween(new Date(vote.at), now);
    const counts =
      observers.includes(vote.observer) && vote.about === holder && vote.epoch === epoch && age <= voteMaxAge && age >= -skewSeconds;
    const other = newest.get(vote.observer);
    if (counts && (other === undefined || other.at < vote.at)) newest.set(vote.observer, vote);
  }
  return [...newest.values()].sort((a, b) => (a.observer < b.observer ? -1 : 1));
}

/** What the votes say is wrong, the most far-reaching first. An observer counts once for each trigger, whatever Region it is in. */
export function troubles(
  votes: readonly Vote[],
  { observe, services, triggers }: Pick<FailoverPolicy, 'observe' | 'services' | 'triggers'>,
  observers: readonly Region[],
): readonly Trouble[] {
  const byTrigger = new Map<Trigger, Witness[]>();
  const critical = new Set(services.filter((service) => service.critical).map(({ name }) => `service/${name}`));
  for (const vote of votes) {
    for (const [trigger, since, says] of symptoms(vote, triggers, critical)) {
      const seconds = secondsBetween(since, new Date(vote.at));
      byTrigger.set(trigger, [...(byTrigger.get(trigger) ?? []), { observer: vote.observer, since, seconds, says }]);
    }
  }
  // More than half of those that there are, not of those that spoke: an observer that is cut off agrees to nothing.
  const majority = Math.floor(observers.length / 2) + 1;
  const about = votes[0]?.about ?? '';
  return [...byTrigger]
    .map(([trigger, witnesses]): Trouble => {
      const lasting = witnesses.filter(({ seconds }) => seconds >= observe.dwell);
      const agreed = lasting.length >= majority;
      const seen = agreed ? lasting : witnesses;
      const lasts = formatSeconds(Math.max(0, Math.min(...seen.map(({ seconds }) => seconds))));
      const evidence = seen.map(({ observer, says }) => `${observer} ${says}`).join(', ');
      const says = `${inWords(trigger, about)}: ${seen.length} of ${observers.length} unhealthy for ${lasts}: ${evidence}`;
      return { trigger, witnesses: seen, agreed, says };
    })
    .sort((a, b) => reach(a.trigger) - reach(b.trigger) || (a.trigger < b.trigger ? -1 : 1));
}

/** The triggers that one vote meets, since when, and the evidence. */
function symptoms(
  { findings }: Vote,
  { regionUnreachable, databaseUnhealthy, criticalServicesUnhealthy }: FailoverPolicy['triggers'],
  critical: ReadonlySet<string>,
): readonly (readonly [Trigger, Date, string])[] {
  // One finding of each subject: saying a thing twice does not make two observers of one.
  const unhealthy = [...new Map(findings.map((finding) => [finding.subject, finding])).values()].filter(
    ({ status }) => status === 'unhealthy',
  );
  const single = unhealthy.filter(
    ({ subject }) => (regionUnreachable && subject === 'region') || (databaseUnhealthy && subject.startsWith('database/')),
  );
  const services = unhealthy.filter(({ subject }) => critical.has(subject)).sort(bySince);
  // The last of the number that is needed says since when there were so many at once.
  const last = criticalServicesUnhealthy === null ? undefined : services[criticalServicesUnhealthy - 1];
  const several = `${services.length} (${services.map(({ subject, says }) => `${subject.slice('service/'.length)} ${says}`).join('; ')})`;
  return [
    ...single.map(({ subject, since, says }) => [subject, new Date(since), says] as const),
    ...(last ? [['critical-services', new Date(last.since), several] as const] : []),
  ];
}

const bySince = (a: Finding, b: Finding): number => Date.parse(a.since) - Date.parse(b.since);

const reach = (trigger: Trigger): number => (trigger === 'region' ? 0 : trigger === 'critical-services' ? 2 : 1);

function inWords(trigger: Trigger, about: string): string {
  if (trigger === 'region') return `${about} unreachable`;
  if (trigger === 'critical-services') return `critical services of ${about}`;
  return `database ${trigger.slice('database/'.length)} in ${about}`;
}
