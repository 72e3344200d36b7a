import { minutes } from '../../functions/common/duration.ts';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import { timestamp } from '../../functions/common/ids.ts';
import type { IncidentPolicy } from '../../functions/common/incident-policy.ts';
import { silentLogger } from '../../functions/common/logger.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { runStep } from '../../functions/handlers/run-operation.ts';
import { escalationExecution } from '../../functions/incidents/escalation/execution-name.ts';
import { lookAt } from '../../functions/incidents/escalation/look.ts';
import { planPages } from '../../functions/incidents/escalation/steps/plan-pages.ts';
import { sendDuePages } from '../../functions/incidents/escalation/steps/send-pages.ts';
import { EscalationRecord, type Incident } from '../../functions/incidents/models.ts';
import { missedPages } from '../../functions/incidents/pager-audit/missed-pages.ts';
import { ChannelRefused } from '../../functions/incidents/paging/errors.ts';
import type { Channels } from '../../functions/incidents/ports.ts';
import type { Executions } from '../../functions/maintenance/ports.ts';
import { memoryItemStore } from '../../functions/memory/item-store.ts';
import { memoryPorts } from '../../functions/memory/ports.ts';
import { synthesizedMachines } from '../../lib/synthesized.ts';
import { type Definition, parseDefinition } from '../../simulation/machine/definition.ts';
import { type Ending, execute } from '../../simulation/machine/interpreter.ts';
import { toMicros, VirtualTime } from '../../simulation/virtual-time.ts';
import { type Death, watchedRun } from './dying-run.ts';
import { anIncident, home } from './incidents.ts';
import { testOperations } from './operations.ts';

export const startsAt = Date.parse('2026-11-21T07:00:00.000Z');

const person = (id: string, ...kinds: ('email' | 'sms')[]): IncidentPolicy['people'][number] => ({
  id,
  name: id,
  urgent: kinds.map((kind) => (kind === 'email' ? { kind, address: `${id}@example.org` } : { kind, number: '+15551234567' })),
  principals: [],
});

const base = testOperations();

/**
 * Ada is on duty until 08:00, Ben from then on; the owner is told too from the second step on. Three rounds of 5 and 10 min. Two people must acknowledge what is of severity 1.
 */
export const escalating: Operations = testOperations({
  incidents: {
    ...base.incidents,
    mode: 'on',
    people: [person('ada', 'email', 'sms'), person('ben', 'email', 'sms'), person('owner', 'sms')],
    schedules: [
      {
        id: 'doctors',
        timeZone: 'Etc/UTC',
        layers: [{ people: ['ada', 'ben'], from: '2026-11-20', handOver: { everyDays: 1, at: '08:00' } }],
      },
    ],
    policies: [
      {
        id: 'default',
        steps: [
          { notify: [{ schedule: 'doctors' }], wait: minutes(5) },
          { notify: [{ schedule: 'doctors' }, { person: 'owner' }], wait: minutes(10) },
        ],
        repeats: 2,
        acknowledgements: { '1': 2 },
      },
    ],
  },
});

/** The machine as it is deployed. */
export const escalationDefinition = (): Definition =>
  parseDefinition(synthesizedMachines(escalating).find(({ name }) => name === 'escalate-incident')?.definition);

export interface Message {
  readonly pageId: string;
  readonly person: string;
  readonly method: string;
  /** Seconds since the beginning. */
  readonly at: number;
}

interface Settings {
  readonly definition: Definition;
  /** Seconds that anything takes which is called; 0 when left out. */
  readonly latency?: () => number;
  /** Where the n-th call of a step dies, counted from 0. */
  readonly death?: (invocation: number) => Death | undefined;
}

/** One Region's incidents under simulated time: the deployed machine, the real steps, stores in memory, channels that keep what they take. */
export function escalationWorld({ definition, latency = () => 0, death = () => undefined }: Settings) {
  const time = new VirtualTime();
  const pause = (seconds: number) => new Promise<void>((resolve) => time.after(toMicros(seconds), () => time.wake(resolve)));
  const clock = {
    now: () => new Date(startsAt + Math.floor(time.now / 1000)),
    sleep: (milliseconds: number) => pause(milliseconds / 1000),
  };
  const elapsed = () => time.now / 1_000_000;
  const messages: Message[] = [];
  const refusing = new Set<string>();
  const endings = new Map<string, Ending | 'running'>();
  const alarms = new Map<string, { readonly person: string; readonly dueAt: string }>();
  let [invocations, stopped] = [0, false];

  const executions: Executions = {
    async start({ name, input }) {
      if (endings.has(name)) return;
      endings.set(name, 'running');
      void run(name, input);
    },
    async describe({ name }) {
      return endings.has(name) ? { status: 'running' } : undefined;
    },
  };
  /** A channel takes what it is given, unless it refuses; whoever sends may die before that is written down. */
  const channels: Channels = {
    async send({ person, method, pageId }) {
      await pause(latency());
      if (refusing.has(`${person}/${method.kind}`)) throw new ChannelRefused(`${method.kind} is refused`);
      messages.push({ pageId, person, method: method.kind, at: elapsed() });
      return `message ${messages.length}`;
    },
    check: async () => [],
  };
  const ports = memoryPorts({ operations: escalating, clock, store: memoryItemStore(clock), executions, channels });
  const steps = new Map([planPages, sendDuePages].map((step) => [step.name, step]));

  async function run(name: string, input: unknown): Promise<void> {
    const ending = await execute(definition, input, {
      async invoke(operation, record) {
        const step = steps.get(operation);
        if (!step) throw new Error(`no step ${operation}`);
        await pause(latency());
        while (stopped) await pause(1);
        const watched = watchedRun(ports, { death: death(invocations++) });
        const host = { ports: watched.ports, operations: escalating, region: home, clock, log: silentLogger, codeSha256: '0c'.repeat(32) };
        const result = await runStep(step, record, host, new Date(clock.now().getTime() + step.timeout * 1000));
        if (watched.died()) throw new ServiceUnavailable('it died');
        await pause(latency());
        return JSON.parse(JSON.stringify(result));
      },
      wait: pause,
      waitUntil: (instant) => pause(Math.max(0, Date.parse(instant) - clock.now().getTime()) / 1000),
      draw: () => 0.5,
      onState() {},
    });
    endings.set(name, ending);
  }

  const incident = anIncident({ openedAt: new Date(startsAt).toISOString() });
  const escalate = async ({ id: incidentId, generation }: Incident, relays = 0) => {
    const input = EscalationRecord.parse({ incidentId, generation, relays });
    await executions.start({ region: home, machine: 'escalate-incident', name: escalationExecution(input), input });
  };
  async function change(to: (incident: Incident) => Partial<Incident>): Promise<Incident> {
    const stored = await ports.incidents.get(incident.id);
    if (!stored) throw new Error('no incident');
    return ports.incidents.update({ ...stored, ...to(stored) });
  }
  const now = () => timestamp(clock.now());
  const from = (seconds: number) => timestamp(new Date(clock.now().getTime() + seconds * 1000));

  return {
    ...{ ports, clock, messages, refusing, endings, alarms, incident, elapsed },
    /** Does something at that second. */
    at: (second: number, act: () => Promise<unknown> | unknown) => time.at(toMicros(second), () => time.wake(() => void act())),
    begin: async (given: Partial<Incident> = {}) => {
      const opened = { ...incident, ...given };
      await ports.incidents.create(opened, undefined);
      await escalate(opened);
    },
    /** One more execution of the generation that is under way, beside the one that is there. */
    escalateAgain: async (relays: number) => escalate(await change(() => ({})), relays),
    acknowledge: (by: string, lasts: number) =>
      change(({ acknowledgements }) => ({
        status: 'acknowledged',
        acknowledgements: [...acknowledgements, { by, at: now(), until: from(lasts) }],
      })),
    pause: (lasts: number) => change(() => ({ pausedUntil: from(lasts) })),
    resolve: () => change(() => ({ status: 'resolved', resolvedAt: now() })),
    /** It becomes worse, or comes back: told anew. */
    raise: async (severity: Incident['severity']) => {
      const raised = await change(({ generation, pausedUntil: _, ...rest }) => ({
        ...rest,
        ...{
          severity,
          status: 'triggered' as const,
          acknowledgements: [],
          generation: generation + 1,
          escalatesFrom: now(),
          pausedUntil: undefined,
        },
      }));
      await escalate(raised);
    },
    /** The Region rests: nothing is invoked until it is back. */
    rest: () => {
      stopped = true;
    },
    comeBack: () => {
      stopped = false;
    },
    /** What the auditor of the pager finds, wherever it runs: what was due a minute ago, is wanted still, and was not taken by any channel. */
    audit: async () => {
      const stored = await ports.incidents.get(incident.id);
      if (!stored) return;
      const look = (seconds: number) =>
        lookAt(stored, { ...ports, operations: escalating }, new Date(clock.now().getTime() - seconds * 1000));
      const [{ pages, sent }, aMinuteAgo] = [await look(0), await look(60)];
      const due = new Set(aMinuteAgo.pages.map(({ pageId }) => pageId));
      for (const { page } of missedPages(pages, sent)) {
        if (due.has(page.pageId)) alarms.set(page.pageId, { person: page.person, dueAt: page.dueAt });
      }
    },
    run: (seconds: number) => time.run(() => time.now >= toMicros(seconds)),
  };
}

export type EscalationWorld = ReturnType<typeof escalationWorld>;
