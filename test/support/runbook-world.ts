import { hours, minutes } from '../../functions/common/duration.ts';
import { timestamp } from '../../functions/common/ids.ts';
import { AutomatedRunbook } from '../../functions/common/incident-policy.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { alarmNameOf } from '../../functions/incidents/alarms/alarm-name.ts';
import { AlarmName, type Incident, Subject } from '../../functions/incidents/models.ts';
import type { RunbookRequest } from '../../functions/incidents/runbooks/models.ts';
import { runsFor } from '../../functions/incidents/runbooks/targets.ts';
import { east, failoverWorld, movableOperations } from './failover-world.ts';
import { anIncident, aSignal } from './incidents.ts';

/** `aRunbook({ kind: 'restart-service', capacity: 'orders-api' })`: anytime, twice in six hours, unasked, ten minutes to help. */
export const aRunbook = (
  action: AutomatedRunbook['action'],
  given: Partial<Omit<AutomatedRunbook, 'guard'>> & { readonly guard?: Partial<AutomatedRunbook['guard']> } = {},
): AutomatedRunbook => {
  const { guard, ...rest } = given;
  return AutomatedRunbook.parse({
    id: 'mend',
    alarm: 'ServiceDown',
    subject: 'orders',
    action,
    helpsWithin: minutes(10),
    ...rest,
    guard: { when: 'anytime', tries: 2, per: hours(6), approval: false, ...guard },
  });
};

export const restartOrders = aRunbook({ kind: 'restart-service', capacity: 'orders-api' });

/** A deployment that can move, whose incidents are on, with these runbooks. */
export function runbookOperations(...runbooks: readonly AutomatedRunbook[]): Operations {
  const operations = movableOperations();
  return { ...operations, incidents: { ...operations.incidents, mode: 'on', runbooks: [...runbooks] } };
}

/** `failoverWorld` with one incident in the primary Region: ServiceDown of orders rings. Its clock begins on a Saturday at noon UTC, when no change window is open. */
export async function runbookWorld(...runbooks: readonly AutomatedRunbook[]) {
  const operations = runbookOperations(...(runbooks.length > 0 ? runbooks : [restartOrders]));
  const world = await failoverWorld({ operations });
  const { ports, clock } = world;
  const subject = operations.incidents.runbooks[0]?.subject ?? 'orders';
  const alarm = operations.incidents.runbooks[0]?.alarm ?? 'ServiceDown';
  const signal = aSignal({ alarm, subject, at: clock.now().toISOString() });
  const trouble = { dedupKey: signal.dedupKey, alarm: signal.alarm, subject: signal.subject, region: east, severity: 2 as const };
  const at = timestamp(clock.now());
  const incident: Incident = anIncident({
    openedAt: at,
    troubles: [{ ...trouble, status: 'firing', firstAt: at, lastAt: at, signals: 1, changes: [at] }],
  });
  await ports.incidents.create(incident, undefined);
  const name = alarmNameOf({ deployment: operations.name, severity: 2, alarm: AlarmName.parse(alarm), subject: Subject.parse(subject) });
  ports.alarmStates.set(east, name, 'alarm');
  const asked = runsFor(incident, operations, east);
  return {
    ...world,
    incident,
    requests: asked,
    get request(): RunbookRequest {
      const [first] = asked;
      if (!first) throw new Error('the incident asks for no runbook');
      return first;
    },
    step: (name: string, record: unknown, region = east): Promise<unknown> => world.step(name, record, region),
    /** The alarm of the runbook, in CloudWatch. */
    alarmIs: (state: 'ok' | 'alarm' | 'insufficient-data') => ports.alarmStates.set(east, name, state),
    timeline: async () => (await ports.incidents.timeline(incident.id)).filter(({ kind }) => kind === 'runbook').map(({ says }) => says),
    runs: async () => (await ports.runbookRuns.history()).runs,
  };
}

export type RunbookWorld = Awaited<ReturnType<typeof runbookWorld>>;
