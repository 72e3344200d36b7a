import { z } from 'zod';
import { severities } from '../../common/incident-policy.ts';
import { AlarmName, type Signal } from '../models.ts';
import type { Integration } from './integration-of.ts';
import { severityOfLabel } from './severity-of.ts';
import { type Arrival, made } from './signal-made.ts';
import { alarmOfIntegration, dedupKeyOf, noteOf } from './signal-parts.ts';
import { regionIn, subjectOf } from './subject-of.ts';

/** A notification of some thousand alerts; a function URL takes 6 MB. */
export const alertmanagerBytes = 4 * 1024 * 1024;

const Words = z.record(z.string(), z.string()).default({});

/** Version 4 of the webhook's body, all of it that is looked at. Alertmanager adds fields without raising the version. */
const Notification = z.looseObject({
  version: z.literal('4'),
  status: z.enum(['firing', 'resolved']),
  groupKey: z.string(),
  /** Alerts of the group that `max_alerts` left out. */
  truncatedAlerts: z.int().nonnegative().default(0),
  commonLabels: Words,
  alerts: z.array(
    z.looseObject({
      status: z.enum(['firing', 'resolved']),
      labels: Words,
      annotations: Words,
      startsAt: z.string().default(''),
      generatorURL: z.string().default(''),
      /** Of the alert's labels; absent before Alertmanager 0.19. */
      fingerprint: z.string().optional(),
    }),
  ),
});
type Notification = z.output<typeof Notification>;
type Alert = Notification['alerts'][number];

/** Labels that say what an alert is about, the most telling first. */
const aboutLabels = ['service', 'app', 'application', 'component', 'database', 'db', 'dbinstance_identifier', 'job', 'cluster', 'instance'];
const regionLabels = ['region', 'aws_region'];

/**
 * The signals of one notification, or undefined for what is no such body. Alerts stand in the order in which they came here, whatever their `startsAt` says: after a restart of
 * Prometheus an alert can ring again with the time at which it first did, before it was well.
 *
 * A group that was truncated hides alerts of which nothing is known: that is a signal of its own, as severe as what the group has in common or shows, which is well
 * again when all of the group is.
 */
export function signalsOfAlertmanager(body: string, integration: Integration, arrival: Arrival): readonly Signal[] | undefined {
  const notification = read(body);
  if (!notification) return undefined;
  const signals = notification.alerts.map((alert, index) => signalOf(alert, index, integration, arrival));
  return [...signals, ...truncation(notification, signals, integration, arrival)];
}

function read(body: string): Notification | undefined {
  try {
    return Notification.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

function signalOf(alert: Alert, index: number, integration: Integration, arrival: Arrival): Signal {
  const { operations, region, id } = arrival;
  const { labels, annotations, fingerprint } = alert;
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return made(arrival, {
    signalId: `alertmanager/${integration.id}/${id}/${index}`,
    source: 'alertmanager',
    integration: integration.id,
    action: actionOf(alert.status),
    // An alert is its labels: two instances of a service are two troubles, and one that is well must not end the other.
    dedupKey: dedupKeyOf('integration', integration.id, fingerprint ?? JSON.stringify(sorted)),
    alarm: alarmOfIntegration([labels.alertname], integration),
    subject: subjectOf(
      aboutLabels.map((name) => labels[name]),
      operations,
      integration.service,
    ),
    region: regionIn(
      regionLabels.map((name) => labels[name]),
      operations,
      region,
    ),
    severity: severityOfLabel(labels.severity, operations.incidents),
    note: noteOf([
      ['alertname', labels.alertname],
      ['summary', annotations.summary],
      ['description', annotations.description ?? annotations.message],
      ['runbook', annotations.runbook_url ?? annotations.runbook],
      ['since', alert.startsAt],
      ['source', alert.generatorURL],
      ...sorted,
    ]),
  });
}

const actionOf = (status: Alert['status']): Signal['action'] => (status === 'firing' ? 'trigger' : 'resolve');

function truncation(
  { truncatedAlerts, status, groupKey, commonLabels }: Notification,
  shown: readonly Signal[],
  integration: Integration,
  arrival: Arrival,
): readonly Signal[] {
  if (truncatedAlerts === 0 && status === 'firing') return [];
  const { operations, region, id } = arrival;
  const inCommon = commonLabels.severity === undefined ? [] : [severityOfLabel(commonLabels.severity, operations.incidents)];
  const all = [...inCommon, ...shown.map((signal) => signal.severity)];
  const severity = severities.find((each) => all.includes(each)) ?? 4;
  const signal = made(arrival, {
    signalId: `alertmanager/${integration.id}/${id}/truncated`,
    source: 'alertmanager',
    integration: integration.id,
    action: truncatedAlerts > 0 ? 'trigger' : 'resolve',
    dedupKey: dedupKeyOf('integration', integration.id, 'truncated', groupKey),
    alarm: AlarmName.parse('AlertsTruncated'),
    subject: subjectOf(
      aboutLabels.map((name) => commonLabels[name]),
      operations,
      integration.service,
    ),
    region: regionIn(
      regionLabels.map((name) => commonLabels[name]),
      operations,
      region,
    ),
    severity,
    note: noteOf([
      ['alerts left out', String(truncatedAlerts)],
      ['group', groupKey],
    ]),
  });
  return [signal];
}
