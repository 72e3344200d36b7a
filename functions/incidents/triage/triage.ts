import { type Region, timestamp } from '../../common/ids.ts';
import type { IncidentPolicy } from '../../common/incident-policy.ts';
import { acknowledge as acknowledgeIncident } from '../incident/acknowledge.ts';
import type { Incident, KnownAlarm, Signal, Triage } from '../models.ts';
import { Board, type IncidentChange, type Known } from './board.ts';
import { isOpenedBy, shows, troubleIn, withAlarm } from './change-incident.ts';
import { flapping, heldBack, type Quiet, quietFor, released } from './held-back.ts';
import { hadHeard, hear, recall, type Standing, standingOf } from './known-alarm.ts';
import { incidentFor, place, settle } from './place.ts';
import { type Lines, linesOf, newLines, reasonLines } from './timeline-lines.ts';

/** What triage looks at, for the signals of one batch and one Region. */
export interface TriageState extends Known, Quiet {
  readonly home: Region;
  /** What became of those signals of the batch that are known. */
  readonly triaged: ReadonlyMap<string, Triage>;
}

export interface Decision {
  readonly signal: Signal;
  readonly triage: Triage;
}

export interface TriagePlan {
  /** One for each signal that was not known, in the order in which they happened. */
  readonly decisions: readonly Decision[];
  readonly alarms: readonly KnownAlarm[];
  readonly incidents: readonly IncidentChange[];
  /** Every incident that a signal is on, as it is now: whoever is to be told of it must be told, whether this batch changed it or one that was cut off. */
  readonly touched: readonly Incident[];
  /** Why a generation begins: written before the incident is, since it cannot be told from it. */
  readonly reasons: Lines;
  readonly timeline: Lines;
}

/**
 * What becomes of signals (ADR 9). Pure; the same whatever order they come in and however often: signals are looked at in the order in which they happened, an alarm stands
 * as the newest that was heard of it says, and a signal that is known changes nothing.
 */
export function triage(signals: readonly Signal[], state: TriageState, policy: IncidentPolicy, now: Date): TriagePlan {
  const board = new Board(state, state.home);
  const reasons = newLines();
  const lines = newLines();
  const decisions: Decision[] = [];
  const touched = new Set<Incident['id']>();
  for (const signal of inOrder(signals.filter(({ signalId }) => !state.triaged.has(signalId)))) {
    const { outcome, incident, says } = decide(signal, { board, state, policy, now, reasons });
    if (incident) touched.add(incident.id);
    const told = { signalId: signal.signalId, outcome, says: says.slice(0, 500), at: timestamp(now) };
    decisions.push({ signal, triage: incident ? { ...told, incidentId: incident.id } : told });
  }
  for (const { signal, triage: told } of decisions) {
    const incident = told.incidentId && board.incident(told.incidentId);
    if (incident) lines.add(incident.id, linesOf(signal, incident, policy));
  }
  return {
    decisions,
    ...board.changes(),
    touched: [...touched].flatMap((id) => board.incident(id) ?? []),
    reasons: reasons.all(),
    timeline: lines.all(),
  };
}

interface Deciding {
  readonly board: Board;
  readonly state: TriageState;
  readonly policy: IncidentPolicy;
  readonly now: Date;
  readonly reasons: ReturnType<typeof newLines>;
}

interface Outcome {
  readonly outcome: Triage['outcome'];
  readonly incident?: Incident | undefined;
  readonly says: string;
}

/** Once each, oldest first; of one moment what is well before what rings, so that it rings in the end, and acknowledgements last. */
function inOrder(signals: readonly Signal[]): readonly Signal[] {
  const rank = { resolve: 0, trigger: 1, acknowledge: 2 } as const;
  const once = [...new Map(signals.map((signal) => [signal.signalId, signal])).values()];
  return once.sort((a, b) => {
    if (a.at !== b.at) return a.at < b.at ? -1 : 1;
    return rank[a.action] - rank[b.action] || (a.signalId < b.signalId ? -1 : 1);
  });
}

const nameOf = ({ alarm, subject, region }: Pick<Signal, 'alarm' | 'subject' | 'region'>): string => `${alarm} of ${subject} in ${region}`;

function decide(signal: Signal, deciding: Deciding): Outcome {
  if (signal.action === 'acknowledge') return acknowledge(signal, deciding);
  const { board, policy, now } = deciding;
  // A batch that was cut off may have written the incident, and not yet what is known of the alarm.
  const before = board
    .having(signal.dedupKey)
    .reduce((known, incident) => recall(known, incident, signal.dedupKey), board.alarm(signal.dedupKey));
  const isNews = !hadHeard(before, signal);
  const alarm = hear(before, signal);
  const standing = standingOf(alarm);
  if (standing.rings) return rings(signal, { ...deciding, alarm, standing, isNews });
  const settled = settle(alarm, { board, policy, now, at: signal.at, isNews });
  board.putAlarm(released(alarm));
  return well(signal, { alarm, standing, incident: settled[0] ?? (alarm.incidentId && board.incident(alarm.incidentId)) });
}

interface Ringing extends Deciding {
  readonly alarm: KnownAlarm;
  readonly standing: Standing;
  readonly isNews: boolean;
}

/** The alarm is well, by the newest that is known of it. */
function well(
  signal: Signal,
  { alarm, standing, incident }: { readonly alarm: KnownAlarm; readonly standing: Standing; readonly incident: Incident | '' | undefined },
): Outcome {
  const name = nameOf(signal);
  const on = incident || undefined;
  const since = standing.changes.at(-1) ?? standing.lastAt;
  if (signal.action === 'trigger') {
    const says = `${name} rang at ${signal.at}, and is known to be well since ${since}: an older change changes nothing`;
    return on && troubleIn(on, alarm.dedupKey) ? { outcome: 'joined', incident: on, says } : { outcome: 'ignored', says };
  }
  if (on && signal.at === since) {
    const ringing = on.troubles.filter(({ status }) => status === 'firing').length;
    const rest = ringing === 0 ? 'nothing of it rings any more' : `${ringing} of its alarms still ring`;
    return { outcome: 'resolved', incident: on, says: `${name} is well: ${rest}` };
  }
  return {
    outcome: 'ignored',
    says: signal.at === since ? `${name} is well, and nothing is open about it` : `${name} has been well since ${since}`,
  };
}

/** The alarm rings, by the newest that is known of it. */
function rings(signal: Signal, ringing: Ringing): Outcome {
  const { board, state, policy, now, alarm, standing, isNews } = ringing;
  const name = nameOf(signal);
  const isOlder = signal.action === 'resolve';
  const known = board.openWith(alarm.dedupKey);
  const isShown = known !== undefined && shows(known, alarm, standing);

  // What a person declares is no alarm that maintenance sets off.
  const quiet = signal.source === 'person' ? undefined : quietFor(alarm, standing.severity, state, now);
  if (quiet && !isOlder) {
    board.putAlarm(isShown ? released(alarm) : heldBack(alarm, quiet, timestamp(now)));
    return { outcome: 'silenced', says: `${name}: ${quiet.says}` };
  }
  if (isShown && (isOlder || !isNews)) {
    board.putAlarm(released(alarm));
    // An older change may tell that it was well in between: what it has rung with since may be milder.
    return again(signal, ringing, board.update(withAlarm(known, alarm, { policy, now, at: signal.at, isNews: false })));
  }
  if (isOlder) {
    board.putAlarm(alarm);
    return again(signal, ringing, known);
  }
  // It was put on an incident by a batch that was cut off, and that is over since: a person has resolved it, and knows.
  const wasPut = !isNews && alarm.incidentId !== undefined && alarm.heldBack === undefined && !known;
  if (wasPut) {
    board.putAlarm(alarm);
    return again(signal, ringing, alarm.incidentId && board.incident(alarm.incidentId));
  }

  const flaps = flapping(standing, policy.flapping, now);
  const there = incidentFor(alarm, { board, policy, at: signal.at });
  if (flaps && !(there && there.incident.severity <= standing.severity)) {
    board.putAlarm(heldBack(alarm, flaps, timestamp(now)));
    return { outcome: 'silenced', says: `${name} ${flaps.says}` };
  }
  const placed = place(alarm, { board, policy, now, at: signal.at, cause: signal.signalId, isNews });
  board.putAlarm({ ...released(alarm), incidentId: placed.incident.id });
  ringing.reasons.add(placed.incident.id, reasonLines(placed, name, policy, signal.at));
  const raised = placed.isRaised ? `; raised to ${policy.severities[placed.incident.severity].name}` : '';
  return {
    outcome: placed.outcome,
    incident: placed.incident,
    says: `${placed.outcome} ${placed.incident.id}: ${name}, ${placed.says}${raised}`,
  };
}

/** A signal that tells nothing new of an alarm that rings. */
function again(signal: Signal, { alarm }: Ringing, incident: Incident | '' | undefined): Outcome {
  const name = nameOf(signal);
  if (!incident) {
    const says = `${name} has rung since, and is held back by ${alarm.heldBack?.name ?? 'nothing'}`;
    return alarm.heldBack && signal.action === 'trigger' ? { outcome: 'silenced', says } : { outcome: 'ignored', says };
  }
  if (isOpenedBy(incident, signal)) return { outcome: 'opened', incident, says: `opened ${incident.id}: ${name}` };
  const says =
    signal.action === 'resolve'
      ? `${name} was well at ${signal.at}, and has rung since: an older change changes nothing`
      : `joined ${incident.id}: ${name}, which is on it`;
  return { outcome: 'joined', incident, says };
}

/** Somebody answered in the tool that the signal comes from. */
function acknowledge(signal: Signal, { board, policy }: Deciding): Outcome {
  const name = nameOf(signal);
  const incident = board.openWith(signal.dedupKey);
  if (!incident) return { outcome: 'ignored', says: `nothing is open about ${name} that could be acknowledged` };
  const since = troubleIn(incident, signal.dedupKey)?.changes.at(-1);
  if (since !== undefined && signal.at < since) {
    return { outcome: 'ignored', incident, says: `${name} was acknowledged at ${signal.at}, and changed at ${since}` };
  }
  if (incident.generation > 1 && signal.at < incident.escalatesFrom) {
    return {
      outcome: 'ignored',
      incident,
      says: `${name} was acknowledged at ${signal.at}, and told anew since ${incident.escalatesFrom}`,
    };
  }
  const acknowledged = acknowledgeIncident(incident, { by: signal.integration ?? signal.source, now: new Date(signal.at) }, policy);
  if (acknowledged.kind !== 'done')
    return { outcome: 'ignored', incident, says: acknowledged.kind === 'refused' ? acknowledged.because : acknowledged.says };
  return { outcome: 'acknowledged', incident: board.update(acknowledged.incident), says: acknowledged.says };
}
