import { after, hours, minutes, seconds, secondsBetween } from '../../../common/duration.ts';
import { messageOf, NotFound } from '../../../common/errors.ts';
import { type Region, timestamp } from '../../../common/ids.ts';
import { regionsOf } from '../../../common/operations-lookup.ts';
import type { PortsFor } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { evidenceObject, logsPrefix } from '../evidence-objects.ts';
import { BreachRecord, type ExportedGroup, type LogExport } from '../models.ts';
import { act, found, gaveUpAfter, stillWaiting, withGaps } from './breach-step.ts';

const exportNeeds = ['evidence-logs:read', 'reports:write'] as const;
type Context = PortsFor<(typeof exportNeeds)[number]> & TaskContext;

/** Left of a run for one call that hangs once, and for handing the record over. */
const wrapUp = seconds(90);
/** A Region that does not tell its groups. */
const listingLimit = minutes(30);
/** Attempts in a row; the machine pauses between them. Then the rest of that Region is a gap. */
const failuresAllowed = 20;
/** Some terabytes at the service's rate. A cursor would not live longer than a day between two pages, and there are none so far apart. */
const limit = hours(48);

/**
 * Copies the logs of every Region into locked objects of this one, page by page; the record keeps where it stands. What somebody logged is in those objects and
 * nowhere else: not in the record, not in a report, not in our own logs.
 */
export const exportEvidenceLogs = defineStep({
  name: 'export-evidence-logs',
  summary: 'Exports the logs of the time of a breach into locked objects, a few minutes of work at a time.',
  timeout: minutes(10),
  memoryMegabytes: 1024,
  needs: exportNeeds,
  input: BreachRecord,
  async run(record, context) {
    const { clock, deadline } = context;
    const { logs: begun, ...listed } = record.logs ? record : await begin(record, context);
    if (!begun) return listed;
    const gaps: string[] = [];
    const stop = new Date(deadline.getTime() - wrapUp * 1000);
    const logs = await act(context, record, { action: 'export-logs', resource: logsPrefix(record.request) }, () =>
      exportUntil(stop, begun, gaps, record, context),
    );
    const next = withGaps({ ...listed, logs }, gaps);
    const says = progress(logs);
    if (logs.groups.every(({ status }) => status !== 'wanted')) return found(next, 'exported', says);
    if (clock.now() <= after(new Date(logs.until), limit)) return found(next, 'exporting', says);
    const rest = logs.groups.filter(({ status }) => status === 'wanted').length;
    const groups = logs.groups.map((group) => (group.status === 'wanted' ? { ...group, status: 'failed' as const } : group));
    return found(
      withGaps({ ...next, logs: { ...logs, groups } }, [`${rest} log groups are not exported: ${gaveUpAfter(limit)}`]),
      'exported',
      says,
    );
  },
});

const progress = ({ groups }: LogExport): string =>
  `${groups.filter(({ status }) => status !== 'wanted').length} of ${groups.length} log groups, ${groups.reduce((sum, { events }) => sum + events, 0)} events`;

/** Lists what there is to export, this Region's first. Without `logs` it is to be tried again. */
async function begin(record: BreachRecord, context: Context): Promise<BreachRecord> {
  const { operations, evidenceLogs, region: here, clock } = context;
  const now = clock.now();
  const regions = [here, ...regionsOf(operations).filter((region) => region !== here)];
  const listings = await Promise.all(
    regions.map((region) =>
      evidenceLogs.groups(region).then(
        (groups) => ({ groups: groups.map((group) => asWanted(region, group)), unknown: [] }),
        (error: unknown) => ({
          groups: [],
          unknown: [`the log groups of ${region} could not be listed: ${messageOf(error).slice(0, 150)}`],
        }),
      ),
    ),
  );
  const unknown = listings.flatMap((listing) => listing.unknown);
  const waiting = unknown.length > 0 ? stillWaiting(record, 'exporting', unknown.join('; '), { now, limit: listingLimit }) : undefined;
  if (waiting) return waiting;
  const groups = listings.flatMap((listing) => listing.groups);
  const missing = groups
    .filter(({ status }) => status === 'missing')
    .map(({ name, region }) => `the log group ${name} in ${region} is not there`);
  return { ...withGaps(found(record, 'exporting', ''), [...unknown, ...missing]), logs: { until: timestamp(now), groups, failures: 0 } };
}

const asWanted = (region: Region, { name, exists }: { readonly name: string; readonly exists: boolean }): ExportedGroup => ({
  ...{ region, name, events: 0, objects: 0 },
  status: exists ? 'wanted' : 'missing',
});

/** One page after the other until `stop`, the end, or something that fails; then the machine comes back. */
async function exportUntil(stop: Date, begun: LogExport, gaps: string[], record: BreachRecord, context: Context): Promise<LogExport> {
  let logs = begun;
  while (secondsBetween(context.clock.now(), stop) > 0) {
    const index = logs.groups.findIndex(({ status }) => status === 'wanted');
    const group = logs.groups[index];
    if (!group) return logs;
    try {
      logs = await exportPage({ logs, index, group }, record, context);
    } catch (error) {
      const gone = error instanceof NotFound;
      if (!gone && logs.failures + 1 < failuresAllowed) return { ...logs, failures: logs.failures + 1 };
      gaps.push(`logs of ${gone ? group.name : 'the rest'} in ${group.region} are not exported: ${messageOf(error).slice(0, 150)}`);
      const { cursor: _, ...rest } = logs;
      const isGivenUp = (each: ExportedGroup) => each.status === 'wanted' && each.region === group.region && (!gone || each === group);
      logs = { ...rest, failures: 0, groups: rest.groups.map((each) => (isGivenUp(each) ? { ...each, status: 'failed' } : each)) };
    }
  }
  return logs;
}

async function exportPage(
  { logs, index, group }: { readonly logs: LogExport; readonly index: number; readonly group: ExportedGroup },
  { request }: BreachRecord,
  { evidenceLogs, reports, region }: Context,
): Promise<LogExport> {
  const window = { from: new Date(request.since), until: new Date(logs.until) };
  const { events, cursor } = await evidenceLogs.page({ region: group.region, group: group.name, ...window, cursor: logs.cursor });
  if (events.length > 0) {
    const { key, bytes } = evidenceObject(request, index, group.objects, events);
    await reports.put(region, key, bytes, 'application/x-ndjson+gzip');
  }
  const done: ExportedGroup = {
    ...group,
    events: group.events + events.length,
    objects: group.objects + (events.length > 0 ? 1 : 0),
    status: cursor === undefined ? 'exported' : 'wanted',
  };
  const { cursor: _, ...rest } = logs;
  return {
    ...rest,
    ...(cursor === undefined ? {} : { cursor }),
    failures: 0,
    groups: logs.groups.map((each) => (each === group ? done : each)),
  };
}
