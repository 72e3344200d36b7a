import { emergencySnapshot } from '../../../backup/emergency-snapshot.ts';
import { minutes } from '../../../common/duration.ts';
import { InvalidInput } from '../../../common/errors.ts';
import { timestamp } from '../../../common/ids.ts';
import type { PortsFor } from '../../../common/ports.ts';
import { defineStep, type TaskContext } from '../../../common/task.ts';
import { inTheWay } from '../guard.ts';
import { readLeadership } from '../look.ts';
import { type PlannedAct, RunbookRecord } from '../models.ts';
import { actWords } from '../plan.ts';
import { act, found } from './runbook-step.ts';

const needs = [
  'coordination:read',
  'runbooks:restart',
  'runbooks:scale-out',
  'runbooks:enlarge-storage',
  'databases:describe',
  'databases:snapshot',
  'recovery-points:read',
  'recovery-points:write',
] as const;
type Context = PortsFor<(typeof needs)[number]> & TaskContext;

/** Does what was written down, through the services' control planes. Done again after a crash it changes nothing more: each act is named by its run, its time or its size. */
export const performRunbook = defineStep({
  name: 'perform-runbook',
  summary: 'Does what an automated runbook is to do: restarts, scales out, enlarges storage, takes a backup.',
  timeout: minutes(2),
  needs,
  input: RunbookRecord,
  async run(record, context) {
    const { operations, coordination, clock, region } = context;
    const { act: planned, startedAt } = record;
    if (!planned || !startedAt || planned.kind === 'end-long-queries')
      throw new InvalidInput('nothing was written down that is to be done here');
    const stopped = inTheWay(await readLeadership({ coordination, operations }), clock.now());
    if (stopped !== undefined) return found(record, 'refused', stopped);
    await perform(planned, new Date(startedAt), record, context);
    return { ...found(record, 'acted', actWords(planned, region)), actedAt: timestamp(clock.now()), did: actWords(planned, region) };
  },
});

async function perform(
  planned: Exclude<PlannedAct, { readonly kind: 'end-long-queries' }>,
  startedAt: Date,
  record: RunbookRecord,
  context: Context,
): Promise<void> {
  const { capacity, databaseStorage, region } = context;
  const doing = (resource: string, details: Readonly<Record<string, string | number>>, work: () => Promise<void>) =>
    act(context, record, { action: planned.kind, resource, details }, work);
  switch (planned.kind) {
    case 'restart-service': {
      const target = { name: planned.capacity, region };
      return doing(`${region}/${planned.capacity}`, { running: planned.running }, () => capacity.restart(target, startedAt));
    }
    case 'scale-out': {
      const { capacity: name, from, to } = planned;
      return doing(`${region}/${name}`, { from, to }, () => capacity.scale({ name, region }, to, 'at-least'));
    }
    case 'enlarge-storage': {
      const { databaseId, fromGigabytes, toGigabytes } = planned;
      return doing(`${region}/${databaseId}`, { fromGigabytes, toGigabytes }, () =>
        databaseStorage.enlarge(databaseId, region, toGigabytes),
      );
    }
    case 'emergency-backup': {
      const { databaseId } = planned;
      await emergencySnapshot(context, { databaseId, region, requestedAt: startedAt }, (id, take) =>
        act(context, record, { action: planned.kind, resource: `${region}/${id}` }, take),
      );
    }
  }
}
