import { seconds } from '../../functions/common/duration.ts';
import { Region, timestamp } from '../../functions/common/ids.ts';
import type { IncidentPolicy } from '../../functions/common/incident-policy.ts';
import { silentLogger } from '../../functions/common/logger.ts';
import type { Operations } from '../../functions/common/operations.ts';
import type { Ports } from '../../functions/common/ports.ts';
import { isOver } from '../../functions/incidents/is-over.ts';
import { type Incident, type Signal, Silence } from '../../functions/incidents/models.ts';
import type { Incidents } from '../../functions/incidents/ports.ts';
import { releaseHeldAlarms } from '../../functions/incidents/triage/release-held-alarms.ts';
import { triageBatch } from '../../functions/incidents/triage/triage-batch.ts';
import { memoryWorld } from './host.ts';
import { aSignal, home } from './incidents.ts';
import { testOperations } from './operations.ts';

/** A deployment in memory whose signals are triaged in the primary Region, with its clock in the test's hand; its incidents may be in another store. */
export function triageWorld(
  given: { readonly policy?: Partial<IncidentPolicy>; readonly operations?: Partial<Operations>; readonly start?: string } = {},
  store?: Incidents,
) {
  const base = testOperations();
  const incidents = { ...base.incidents, mode: 'on' as const, ...given.policy };
  const operations = testOperations({ ...given.operations, incidents });
  // A Wednesday: no change window is open.
  const world = memoryWorld({ operations, start: given.start ?? '2026-11-18T07:00:00Z' });
  const { clock } = world;
  const ports = { ...world.ports, incidents: store ?? world.ports.incidents };
  const context = (reached: Partial<Ports> = ports) => ({
    ...ports,
    ...reached,
    ...{ operations, region: Region.parse(home), clock, log: silentLogger },
  });
  return {
    ...world,
    ports,
    /** Time from the world's start, as a signal has it. */
    at: (afterSeconds: number) => timestamp(new Date(Date.parse(given.start ?? '2026-11-18T07:00:00Z') + afterSeconds * 1000)),
    triage: (signals: readonly Signal[], reached?: Partial<Ports>) => triageBatch(signals, context(reached)),
    release: (reached?: Partial<Ports>) => releaseHeldAlarms(context(reached)),
    open: async () => (await ports.incidents.open()).filter((incident) => !isOver(incident)),
    /** What became of a signal. */
    outcome: async ({ signalId }: Pick<Signal, 'signalId'>) => await ports.incidents.triageOf(signalId),
    /** Names of the executions that tell people. */
    told: () => ports.executions.started.filter(({ machine }) => machine === 'escalate-incident').map(({ name }) => name),
    silence: (silenceId: string, fromSeconds: number, untilSeconds: number, what: Partial<Silence> = {}) => {
      const time = (after: number) => timestamp(new Date(Date.parse(given.start ?? '2026-11-18T07:00:00Z') + seconds(after) * 1000));
      const silence = { silenceId, from: time(fromSeconds), until: time(untilSeconds), by: 'cli/alice', reason: 'a new disk', ...what };
      return ports.incidents.putSilence(Silence.parse(silence));
    },
  };
}

export type TriageWorld = ReturnType<typeof triageWorld>;

/** Alarms that ring on open incidents, with their severity there: what people see in the end. */
export const ringing = (open: readonly Incident[]): readonly string[] =>
  open
    .flatMap(({ troubles }) =>
      troubles.filter(({ status }) => status === 'firing').map(({ alarm, subject, severity }) => `${alarm} of ${subject}: ${severity}`),
    )
    .sort();

type Given = NonNullable<Parameters<typeof aSignal>[0]>;

/** A world, and signals that happen `after` seconds from its start. */
export function triageStory(given: Parameters<typeof triageWorld>[0] = {}) {
  const world = triageWorld(given);
  const signal = (after: number, what: Given = {}): Signal => aSignal({ ...what, at: world.at(after) });
  const rings = (after: number, what: Given = {}) => signal(after, what);
  const isWell = (after: number, what: Given = {}) => signal(after, { ...what, action: 'resolve' });
  return { ...world, rings, isWell, signal };
}

export const onlyOpen = async (world: Pick<TriageWorld, 'open'>): Promise<Incident> => {
  const [incident, ...others] = await world.open();
  if (!incident || others.length > 0) throw new Error(`one incident expected, ${others.length + Number(incident !== undefined)} are open`);
  return incident;
};
